"""What a member finds behind a mailed invitation to link an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.mailed_links import arrive
from accounts.models import User
from accounts.rate_limits import allow, source_of
from confluence_link import atlassian, linking
from confluence_link.errors import LinkRefused
from confluence_link.models import database_now
from confluence_link.views.outcomes import refusal_page
from confluence_link.views.site_card import link_url

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from confluence_link.models import LinkInvitation

# In the session, between the mailed address and the page: the token's hash.
SESSION_KEY: Final = "link_invitation"
ARRIVALS_PER_HOUR: Final = 200
# 410: whoever follows the link again finds out that it is over for good.
_STATUS: Final = {"invitation_gone": 410, "invitation_other": 403}


@never_cache
@require_safe
def arrival(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed address."""
    if not allow(
        "link_invitation_arrival",
        key=source_of(request),
        limit=ARRIVALS_PER_HOUR,
        per_seconds=3600,
    ):
        return render(request, "429.html", status=429)
    return arrive(request, token, session_key=SESSION_KEY, page="link_invitation")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest) -> HttpResponse:
    """Who asks for what; the button uses the invitation up and leaves for the start."""
    assert isinstance(request.user, User)
    asked = {
        "token_hash": request.session.get(SESSION_KEY, ""),
        "user": request.user,
        "now": database_now(),
    }
    try:
        if request.method != "POST":
            return _page(request, linking.find_invitation(**asked))
        invitation = linking.use_invitation(**asked)
    except LinkRefused as refused:
        return refusal_page(request, refused=refused, status=_STATUS[refused.reason])
    request.session.pop(SESSION_KEY)
    vacant_site = invitation.vacant_site
    adopt = {"adopt": vacant_site.public_id} if vacant_site else {}
    return redirect(link_url(invitation.oauth_app, invitation.organization, **adopt))


def _page(request: HttpRequest, invitation: LinkInvitation) -> HttpResponse:
    oauth_app = invitation.oauth_app
    deployment = atlassian.deployment_for(oauth_app)
    context = {
        "invitation": invitation,
        "scopes_in_words": deployment.scopes_in_words(oauth_app.scopes),
    }
    return render(request, "confluence_link/invited.html", context)
