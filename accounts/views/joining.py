"""Coming into an organization by a mailed invitation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts import invitations, invited, mailed_links, rate_limits
from accounts.invitations import InvitationRefused
from accounts.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Invitation

# From one address, behind which a whole company may sit.
OPENED_PER_HOUR: Final = 200


@never_cache
@require_safe
def open_invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The mailed address."""
    source = rate_limits.source_of(request)
    if not rate_limits.allow(
        "invitation.open", key=source, limit=OPENED_PER_HOUR, per_seconds=3600
    ):
        return render(request, "429.html", status=429)
    return mailed_links.arrive(
        request,
        token,
        session_key=invited.SESSION_KEY,
        page="accounts:accept_invitation",
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: HttpRequest) -> HttpResponse:
    """Who invites whom into what; for the invited, the button to join."""
    token_hash = invited.token_hash(request)
    try:
        invitation = invitations.find(token_hash=token_hash, now=timezone.now())
    except InvitationRefused:
        return render(request, "accounts/invitation_gone.html", status=410)
    context = {"invitation": invitation, "inviter": invitation.invited_by}
    if not isinstance(request.user, User):
        return render(request, "accounts/invitation.html", context)
    try:
        invitations.check_address(invitation=invitation, user=request.user)
        if request.method == "POST":
            return _join(request, request.user, token_hash)
    except InvitationRefused as refused:
        return _refusal(request, invitation, refused)
    return render(request, "accounts/invitation.html", context)


def _join(request: HttpRequest, user: User, token_hash: str) -> HttpResponse:
    now = timezone.now()
    membership = invitations.accept(token_hash=token_hash, user=user, now=now)
    invited.forget(request)
    organization = membership.organization
    messages.success(request, f"You are a member of {organization} now.")
    return redirect(organization)


def _refusal(
    request: HttpRequest, invitation: Invitation, refused: InvitationRefused
) -> HttpResponse:
    if refused.reason == "gone":
        return render(request, "accounts/invitation_gone.html", status=410)
    context = {
        "invitation": invitation,
        "is_unverified": refused.reason == "unverified_address",
    }
    return render(request, "accounts/invitation_of_another.html", context, status=403)
