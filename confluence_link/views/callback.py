"""Back from the authorization server: every end is a redirect or a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.isolation import across_organizations
from accounts.models import Organization, User
from confluence_link import atlassian, linking
from confluence_link.errors import LinkRefused
from confluence_link.models import OAuthApp
from confluence_link.oauth2_adapter import ConfluenceOAuth2Adapter
from confluence_link.views.outcomes import refusal_page
from confluence_link.views.refusals import refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from confluence_link.provider import ConfluenceProvider

# No parameter of a callback is longer, and none may come twice.
MAX_PARAMETER = 4096


class Callback(OAuth2CallbackView):  # type: ignore[misc]  # allauth is untyped
    """allauth's callback, with a state that is claimed before the code is used."""

    def _get_state(
        self, request: HttpRequest, provider: ConfluenceProvider
    ) -> tuple[dict[str, Any], None]:
        state_param = request.GET.get("state", "")
        if provider.gave_state(state_param):
            # Before the session forgets it, so that a double click is always told
            # that it came second. In another person's browser, too: a callback that
            # went astray ends the attempt. What we never gave out writes nothing.
            linking.claim_state(state_param)
        try:
            state = provider.unstash_redirect_state(request, state_param)
        except PermissionDenied:
            raise LinkRefused("expired") from None
        data = state.get("data") or {}
        if data.get("user") != request.user.pk:
            raise LinkRefused("other_session")
        assert isinstance(request.user, User)
        self.adapter.reconnect = data.get("reconnect", "")
        own = Organization.objects.of(request.user)
        self.adapter.organization = own.filter(pk=data["organization"]).first()
        if self.adapter.organization is None:
            raise LinkRefused("not_member")
        _check_issuer(request, provider.app.oauth_app)
        return state, None


@never_cache
@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Takes the answer of the authorization server, once."""
    if "prefetch" in request.headers.get("Sec-Purpose", ""):
        # The browser only guesses; the code is used when the person arrives.
        return HttpResponse(status=204)
    adapter = ConfluenceOAuth2Adapter(request, provider_id)
    try:
        _check_shape(request)
        view: Callable[[HttpRequest], HttpResponse] = Callback.adapter_view(adapter)
        response = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except LinkRefused as refused:
        return _refusal(request, adapter, refused)
    # This address has a code in it. The pages of refusals keep the usual policy:
    # without any origin their own forms would be refused.
    response["Referrer-Policy"] = "no-referrer"
    return response


callback.login_not_required = True  # type: ignore[attr-defined]  # it answers itself


def _check_shape(request: HttpRequest) -> None:
    for name in request.GET:
        values = request.GET.getlist(name)
        if len(values) > 1 or len(values[0]) > MAX_PARAMETER:
            raise LinkRefused("bad_request")
    if not request.user.is_authenticated:
        raise LinkRefused("other_session")


def _check_issuer(request: HttpRequest, oauth_app: OAuthApp) -> None:
    """RFC 9207: an issuer that is named must be the one that we asked."""
    issuer = request.GET.get("iss")
    if issuer is None:
        return
    url = atlassian.deployment_for(oauth_app).authorize_url
    expected = oauth_app.base_url or "/".join(url.split("/")[:3])
    # Compared as it stands, but for the slash after an origin, which some write.
    if issuer not in {expected, f"{expected}/"}:
        raise LinkRefused("bad_request")


@across_organizations()
def _refusal(
    request: HttpRequest, adapter: ConfluenceOAuth2Adapter, refused: LinkRefused
) -> HttpResponse:
    """Recorded for signed-in people only: strangers cannot fill the table."""
    if not isinstance(request.user, User):
        return refusal_page(request, refused=refused)
    oauth_app = OAuthApp.objects.filter(provider_id=adapter.provider_id).first()
    return refuse(
        request,
        refused=refused,
        organization=adapter.organization,
        oauth_app=oauth_app,
        reconnect=adapter.reconnect,
    )
