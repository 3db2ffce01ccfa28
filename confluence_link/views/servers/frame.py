"""What all pages about servers share: the right, a recent sign-in, the row."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.rate_limits import allow
from accounts.recent_sign_in import require_recent_sign_in, signed_in_recently
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link import servers
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

# Of one organization (threat S15).
ADDED_PER_HOUR: Final = 10
CHECKED_PER_HOUR: Final = 10
ASKED_PER_HOUR: Final = 10
TOO_OFTEN: Final = "Servers were {} too often in the last hour. Try again later."


def form_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A form for those who may add servers, after a recent sign-in."""

    @wraps(view)
    def page(
        request: HttpRequest, membership: Membership, *args: str, **kwargs: str
    ) -> HttpResponse:
        if request.method != "POST":
            require_recent_sign_in(request)
        elif not signed_in_recently(request):
            # Back to the page, which asks: what allauth would keep of this form while
            # it asks may be a secret, and sessions lie in the database.
            return redirect(request.get_full_path())
        try:
            return view(request, membership, *args, **kwargs)
        except OAuthApp.DoesNotExist:
            # Somebody else removed it at the same moment.
            raise Http404 from None

    methods = require_http_methods(["GET", "HEAD", "POST"])
    return never_cache(with_right(Right.ADD_SERVERS)(methods(page)))


def server_of(membership: Membership, provider_id: str) -> OAuthApp:
    """The organization's server; Http404 alike for a foreign one and none."""
    own = servers.of_organization(membership.organization)
    return get_object_or_404(own, provider_id=provider_id)


def to_server(membership: Membership, server: OAuthApp) -> HttpResponse:
    slug = membership.organization.slug
    return redirect("confluence_link:server", slug, server.provider_id)


def check_again(request: HttpRequest, membership: Membership, server: OAuthApp) -> None:
    """Probes it, unless that was done too often."""
    if _allow("check_server", membership, CHECKED_PER_HOUR):
        servers.check(oauth_app=server)
    else:
        messages.warning(request, TOO_OFTEN.format("checked"))


def may_add(membership: Membership) -> bool:
    return _allow("add_server", membership, ADDED_PER_HOUR)


def may_ask(membership: Membership) -> bool:
    return _allow("ask_for_server", membership, ASKED_PER_HOUR)


def _allow(action: str, membership: Membership, limit: int) -> bool:
    key = str(membership.organization_id)
    return allow(action, key=key, limit=limit, per_seconds=3600)
