"""allauth's OAuth2 adapter for one of our OAuth apps.

The exchange, the identity and the sites come from `linking`; allauth never sees a
token, a client secret or a response body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from allauth.socialaccount import app_settings
from allauth.socialaccount.models import SocialAccount, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Client
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter

from confluence_link import atlassian, linking, vault
from confluence_link.errors import LinkRefused, VaultError
from confluence_link.http import Deadline

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import Organization
    from confluence_link.linking import Consent
    from confluence_link.provider import AllauthApp

# Exchange, identity and sites together; a Data Center code lives for ten.
CALLBACK_SECONDS: Final = 8
CODE_VERIFIER: Final = "code_verifier"


class ConsentLogin(SocialLogin):  # type: ignore[misc]  # allauth is untyped
    """A consent on its way to the confirm page. It holds no allauth token."""

    consent: Consent
    organization: Organization

    def lookup(self) -> None:
        """Looks nothing up and writes nothing.

        allauth's own would overwrite the account of another user before anybody
        could refuse.
        """


class ConfluenceOAuth2Adapter(OAuth2Adapter):  # type: ignore[misc]  # allauth is untyped
    """Bound to one OAuth app by its provider id, which is part of every URL."""

    def __init__(self, request: HttpRequest, provider_id: str) -> None:
        super().__init__(request)
        self.provider_id = provider_id
        self.deadline = Deadline(CALLBACK_SECONDS)
        # The state's, once it came back; the organization if the person still is a
        # member of it.
        self.organization: Organization | None = None
        self.reconnect = ""

    @property
    def authorize_url(self) -> str:
        oauth_app = self.get_provider().app.oauth_app
        return atlassian.deployment_for(oauth_app).authorize_url

    def get_callback_url(self, request: HttpRequest, app: AllauthApp) -> str:
        return app.oauth_app.redirect_uri

    def get_client(self, request: HttpRequest, app: AllauthApp) -> OAuth2Client:
        """Builds authorization URLs only, so it is given no secret."""
        return OAuth2Client(
            request, app.client_id, "", "POST", "", self.get_callback_url(request, app)
        )

    def get_access_token_data(
        self,
        request: HttpRequest,
        app: AllauthApp,
        client: OAuth2Client,
        pkce_code_verifier: str | None = None,
    ) -> Consent:
        """The consent behind the callback's code. Raises LinkRefused."""
        record = linking.digest(request.GET["state"])
        try:
            verifier = vault.open_text(
                CODE_VERIFIER, pkce_code_verifier or "", record=record
            )
        except VaultError:
            raise LinkRefused("expired") from None
        return linking.fetch_consent(
            oauth_app=app.oauth_app,
            code=request.GET["code"],
            code_verifier=verifier,
            deadline=self.deadline,
        )

    def parse_token(self, data: Consent) -> SocialToken:
        """An empty token: allauth wants one, and may put it into a session."""
        return SocialToken()

    def complete_login(
        self, request: HttpRequest, app: AllauthApp, token: SocialToken, **kwargs: Any
    ) -> ConsentLogin:
        consent: Consent = kwargs["response"]
        uid = consent.account.account_id
        if len(uid) > app_settings.UID_MAX_LENGTH:
            raise LinkRefused("no_identity")
        account = SocialAccount(provider=app.provider_id, uid=uid, extra_data={})
        login = ConsentLogin(provider=self.get_provider(), account=account)
        assert self.organization is not None
        login.consent, login.organization = consent, self.organization
        return login
