"""Our allauth provider: one class, one `OAuthApp` row behind each provider id.

Nothing of the browser's query reaches the authorization URL, PKCE is always on, and
only a signed-in person may begin: a Confluence account signs nobody in.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allauth.socialaccount.internal import statekit
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from django.core.signing import BadSignature, Signer
from django.dispatch import receiver
from django.urls import reverse
from django.utils.http import urlencode

from confluence_link import atlassian, linking, vault
from confluence_link.errors import LinkRefused
from confluence_link.oauth2_adapter import CODE_VERIFIER, ConfluenceOAuth2Adapter

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from confluence_link.models import Grant, OAuthApp


# Tells the states that we gave out from those that somebody made up.
_STATES = Signer(salt="confluence_link.state", sep=".")


def new_state() -> str:
    """256 random bits, signed."""
    return _STATES.sign(secrets.token_urlsafe(32))


@dataclass(frozen=True)
class AllauthApp:
    """An `OAuthApp` in the shape of allauth's SocialApp, without its secret."""

    oauth_app: OAuthApp
    provider: str = "confluence"
    pk: None = None
    secret: str = ""
    key: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def provider_id(self) -> str:
        return self.oauth_app.provider_id

    @property
    def name(self) -> str:
        return self.oauth_app.name

    @property
    def client_id(self) -> str:
        return self.oauth_app.client_id


class ConfluenceProvider(OAuth2Provider):  # type: ignore[misc]  # allauth is untyped
    """Link-only. The organization travels in the state's `data`."""

    id = "confluence"
    name = "Confluence"
    account_class = ProviderAccount
    oauth2_adapter_class = ConfluenceOAuth2Adapter
    app: AllauthApp

    def __init__(self, request: HttpRequest, app: AllauthApp) -> None:
        super().__init__(request, app)
        self.name = app.name

    def get_oauth2_adapter(self, request: HttpRequest) -> ConfluenceOAuth2Adapter:
        return ConfluenceOAuth2Adapter(request, self.app.provider_id)

    def get_login_url(self, request: HttpRequest, **kwargs: str) -> str:
        url = reverse("confluence_login", args=[self.app.provider_id])
        return f"{url}?{urlencode(kwargs)}" if kwargs else url

    def get_callback_url(self) -> str:
        return reverse("confluence_callback", args=[self.app.provider_id])

    def serialize(self) -> dict[str, str]:
        """By provider id: two servers may have given out the same client id."""
        return {"id": self.app.provider_id, "app.client_id": self.app.client_id}

    # What an authorization URL carries: the server's side only
    # --------------------------------------------------------------------------
    def get_scope(self) -> list[str]:
        return list(self.app.oauth_app.scopes)

    def get_auth_params(self) -> dict[str, str]:
        return atlassian.deployment_for(self.app.oauth_app).authorize_params()

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        return self.get_scope()

    def get_auth_params_from_request(
        self, request: HttpRequest, action: str
    ) -> dict[str, str]:
        return self.get_auth_params()

    def get_pkce_params(self) -> dict[str, str]:
        """RFC 7636 with S256; Data Center takes 43 to 127 characters, this has 86."""
        verifier = secrets.token_urlsafe(64)
        challenge = hashlib.sha256(verifier.encode()).digest()
        return {
            "code_verifier": verifier,
            "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        }

    # The state
    # --------------------------------------------------------------------------
    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Leaves for the authorization server. Raises LinkRefused("link_only")."""
        if process != "connect" or not request.user.is_authenticated or not data:
            raise LinkRefused("link_only")
        # Where to go afterwards is ours to say, so no `next` is kept.
        response: HttpResponse = super().redirect(
            request, process, None, data, scope=None, auth_params=None
        )
        return response

    def stash_redirect_state(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        state_id: str | None = None,
        pkce_code_verifier: str = "",
        **kwargs: Any,
    ) -> str:
        """Gives a new state; the session keeps its hash and a sealed verifier."""
        state = new_state()
        record = linking.digest(state)
        # allauth would keep one more than it says.
        states = statekit.get_states(request)
        while len(states) >= statekit.MAX_STATES:
            del states[statekit.get_oldest_state(states)]
        super().stash_redirect_state(
            request,
            process,
            next_url,
            data,
            state_id=record,
            pkce_code_verifier=vault.seal_text(
                CODE_VERIFIER, pkce_code_verifier, record=record
            ),
            **kwargs,
        )
        return state

    def gave_state(self, state_id: str) -> bool:
        """Whether we gave it out, to whomever, at whichever app, however long ago."""
        try:
            _STATES.unsign(state_id)
        except BadSignature:
            return False
        return True

    def unstash_redirect_state(
        self, request: HttpRequest, state_id: str
    ) -> dict[str, Any]:
        """Takes the state out of the session. Raises PermissionDenied without one."""
        state: dict[str, Any] = super().unstash_redirect_state(
            request, linking.digest(state_id)
        )
        return state


provider_classes = [ConfluenceProvider]


@receiver(linking.account_linked)
def keep_account(grant: Grant, **kwargs: object) -> None:
    """allauth's row of the account, written with the grant."""
    SocialAccount.objects.update_or_create(
        provider=grant.oauth_app.provider_id,
        uid=grant.account_id,
        defaults={"user": grant.user, "extra_data": {}},
    )


@receiver(linking.account_unlinked)
def drop_account(grant: Grant, **kwargs: object) -> None:
    SocialAccount.objects.filter(
        provider=grant.oauth_app.provider_id, uid=grant.account_id
    ).delete()
