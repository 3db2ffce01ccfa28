"""allauth's social account and MFA adapters: our apps, our refusals, our vault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse

from accounts.isolation import across_organizations
from accounts.models import User
from confluence_link import linking, vault
from confluence_link.errors import LinkRefused
from confluence_link.models import OAuthApp
from confluence_link.provider import AllauthApp

if TYPE_CHECKING:
    from django.http import HttpRequest

    from confluence_link.oauth2_adapter import ConsentLogin
    from confluence_link.provider import ConfluenceProvider


class SeeOther(HttpResponseRedirect):
    """RFC 9110 section 15.4.4: the clean URL that follows a callback is a GET."""

    status_code = 303


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # untyped
    """Apps come from `OAuthApp` alone; the callback's result goes to `linking`."""

    @across_organizations()
    def list_apps(
        self,
        request: HttpRequest | None,
        provider: str | None = None,
        client_id: str | None = None,
    ) -> list[AllauthApp]:
        """The app with this provider id.

        Without one, allauth asks for what the sign-in page offers: nothing, since
        no Confluence account signs anyone in.
        """
        if provider is None:
            return []
        apps = OAuthApp.objects.filter(provider_id=provider, enabled=True)
        if client_id:
            apps = apps.filter(client_id=client_id)
        return [AllauthApp(app) for app in apps]

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: ConfluenceProvider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """The other side sent the person back without a code."""
        if error == AuthError.CANCELLED:
            raise LinkRefused("declined")
        raise LinkRefused("refused_by_provider")

    def pre_social_login(self, request: HttpRequest, sociallogin: ConsentLogin) -> None:
        """Takes the result over, so that nothing of allauth's saves or signs in."""
        user, state = request.user, sociallogin.state
        data = state.get("data") or {}
        is_link = state.get("process") == "connect"
        if not is_link or not isinstance(user, User) or data.get("user") != user.pk:
            raise LinkRefused("link_only")
        pending = linking.pend(
            consent=sociallogin.consent,
            oauth_app=sociallogin.provider.app.oauth_app,
            user=user,
            organization=sociallogin.organization,
            session_key=request.session.session_key or "",
            reconnect=data.get("reconnect", ""),
        )
        confirm_url = reverse(
            "confluence_link:confirm_link",
            args=[pending.organization.slug, pending.public_id],
        )
        raise ImmediateHttpResponse(SeeOther(confirm_url))

    def is_open_for_signup(
        self, request: HttpRequest, sociallogin: ConsentLogin
    ) -> bool:
        return False

    def validate_disconnect(self, account: Any, accounts: Any) -> None:
        """allauth's page would drop the account and leave our tokens alive."""
        raise ValidationError("Unlink the sites of this account instead.")


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """TOTP secrets and recovery seeds lie sealed in allauth's table."""

    def encrypt(self, text: str) -> str:
        return vault.seal_text("mfa", text)

    def decrypt(self, encrypted_text: str) -> str:
        return vault.open_text("mfa", encrypted_text)
