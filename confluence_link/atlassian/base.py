"""Deployment: what our flows have to know about the other side of one OAuth app."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from confluence_link.atlassian.values import Account, Site
    from confluence_link.http import Deadline, GuardedSession, NetworkPolicy
    from confluence_link.models import OAuthApp


class Deployment(ABC):
    """One object per `OAuthApp` row; holds nothing but the row."""

    # How the token endpoint wants its body.
    token_body: ClassVar[Literal["json", "form"]]
    refresh_sends_redirect_uri: ClassVar[bool]
    # Whether the operator's settings name the token endpoint, and nobody else does.
    token_url_is_the_operators: ClassVar[bool]
    # How long a retired refresh token may be exchanged once more.
    leeway_seconds: ClassVar[int]
    # A refresh token that nobody exchanges for this long is gone.
    idle_days: ClassVar[int] = 90
    # A consent ends this long after it was given, however much it is used.
    absolute_days: ClassVar[int | None]

    def __init__(self, oauth_app: OAuthApp) -> None:
        self.oauth_app = oauth_app

    @property
    @abstractmethod
    def network_policy(self) -> NetworkPolicy:
        """How to reach it. Raises VaultError if a sealed part does not open."""

    @property
    @abstractmethod
    def authorize_url(self) -> str: ...

    @property
    @abstractmethod
    def token_url(self) -> str: ...

    @abstractmethod
    def authorize_params(self) -> dict[str, str]:
        """What the authorization URL carries beyond RFC 6749."""

    @abstractmethod
    def missing_scopes(
        self, asked: Sequence[str], granted: Sequence[str] | None
    ) -> tuple[str, ...]:
        """What the consent lacks. None granted: the server does not say."""

    @abstractmethod
    def scopes_in_words(self, scopes: Sequence[str]) -> tuple[str, ...]: ...

    @abstractmethod
    def consent_page_url(self, site_url: str) -> str:
        """Where the person ends the consent itself, which we cannot."""

    @abstractmethod
    def api_base_url(self, site_id: str) -> str:
        """Below this lies everything that a token of this app may call."""

    @abstractmethod
    def identity(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> Account:
        """Whose token it is.

        Raises `LinkRefused` (`anonymous`, `no_identity`), `ApiError` or
        `TransportError`.
        """

    @abstractmethod
    def reachable_sites(
        self, session: GuardedSession, access_token: str, deadline: Deadline
    ) -> tuple[Site, ...]:
        """Every Confluence that the token reaches, by name; at most 500."""
