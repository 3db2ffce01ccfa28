"""What is remembered of a consent: grant, family, code and tokens.

A grant is what one account allowed one client; it collects sites. A family is
the chain of refresh tokens that one exchanged code began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, TokenMixin

from sandbox.clock import Clock
from sandbox.oauth.clients import Client


class Refusal(Enum):
    """Why a refresh token is not exchanged."""

    UNKNOWN = "unknown"
    REUSED = "reused after the leeway"
    REVOKED = "revoked"
    EXPIRED = "expired"
    PASSWORD_CHANGED = "password changed"


class Refused(Exception):
    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Consent:
    """One press on Accept."""

    client_id: str
    account_id: str
    scope: str
    site_id: str | None = None


@dataclass
class Grant:
    client_id: str
    account_id: str
    scopes: set[str] = field(default_factory=set)
    site_ids: set[str] = field(default_factory=set)


@dataclass
class Family:
    number: int
    grant: Grant
    consent: Consent
    consented_at: float
    ended: Refusal | None = None
    refreshes: int = 0
    reuses_inside_leeway: int = 0
    breaches: int = 0
    calls_refused_as_expired: int = 0
    live: list[RefreshToken] = field(default_factory=list, repr=False)

    def describe(self) -> dict[str, object]:
        return {
            "family": self.number,
            "client_id": self.grant.client_id,
            "account_id": self.grant.account_id,
            "scope": self.consent.scope,
            "site_ids": sorted(self.grant.site_ids),
            "ended": self.ended.value if self.ended else None,
            "live_refresh_tokens": len(self.live),
            "refreshes": self.refreshes,
            "reuses_inside_leeway": self.reuses_inside_leeway,
            "breaches": self.breaches,
            "calls_refused_as_expired": self.calls_refused_as_expired,
        }


@dataclass
class Code(AuthorizationCodeMixin):
    value: str
    consent: Consent
    grant: Grant
    redirect_uri: str
    expires_at: float
    code_challenge: str | None
    code_challenge_method: str | None

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.consent.scope


@dataclass
class AccessToken(TokenMixin):
    value: str = field(repr=False)
    family: Family
    scope: str
    expires_at: float
    clock: Clock = field(repr=False)

    @property
    def scopes(self) -> set[str]:
        """A later consent replaces the scopes of the grant: a token keeps its
        own, as far as the grant still has them."""
        return set(self.scope.split()) & self.family.grant.scopes

    def get_scope(self) -> str:
        return " ".join(sorted(self.scopes))

    def is_expired(self) -> bool:
        return self.clock.now() >= self.expires_at

    def is_revoked(self) -> bool:
        return self.family.ended is Refusal.REVOKED


@dataclass
class RefreshToken(TokenMixin):
    value: str = field(repr=False)
    family: Family
    access_token: AccessToken
    issued_at: float
    retired_at: float | None = None
    # The last answer given for this token, for the `idempotent` reuse.
    answer: dict[str, str | int] = field(default_factory=dict, repr=False)

    def check_client(self, client: Client) -> bool:
        return self.family.grant.client_id == client.client_id

    def get_scope(self) -> str:
        return self.family.consent.scope
