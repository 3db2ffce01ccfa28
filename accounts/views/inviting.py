"""Asking people into an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts import invitation_mails, invitations, rate_limits
from accounts.forms import InviteForm
from accounts.rights import Right
from accounts.tenancy import with_right

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

# By one person to anybody; by one organization to one address.
PER_HOUR: Final = 100
TO_ONE_ADDRESS_PER_HOUR: Final = 5


@require_http_methods(["GET", "POST"])
@with_right(Right.INVITE)
def invite(request: HttpRequest, membership: Membership) -> HttpResponse:
    form = InviteForm(request.POST or None, membership=membership)
    if form.is_valid():
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        try:
            return _invite(request, membership, email, role)
        except invitations.AlreadyMember:
            form.add_error("email", f"{email} is a member already.")
    return render(request, "accounts/invite.html", {"form": form})


@require_POST
@with_right(Right.INVITE)
def send_again(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """With a new token: the old one was in the mail and nowhere else."""
    waiting = invitations.waiting(membership.organization)
    old = get_object_or_404(waiting, public_id=public_id)
    try:
        return _invite(request, membership, old.email, old.role)
    except invitations.AlreadyMember:
        messages.info(request, f"{old.email} is a member already.")
    return redirect("accounts:members", membership.organization.slug)


@require_POST
@with_right(Right.INVITE)
def revoke_invitation(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    waiting = invitations.waiting(membership.organization)
    invitation = get_object_or_404(waiting, public_id=public_id)
    now = timezone.now()
    invitations.revoke(invitation=invitation, actor=membership.user, now=now)
    messages.success(request, f"The invitation of {invitation.email} is revoked.")
    return redirect("accounts:members", membership.organization.slug)


def _invite(
    request: HttpRequest, membership: Membership, email: str, role: str
) -> HttpResponse:
    if not _few_enough(membership, email):
        return render(request, "429.html", status=429)
    invitation, token = invitations.invite(
        organization=membership.organization,
        email=email,
        role=role,
        actor=membership.user,
        now=timezone.now(),
    )
    if invitation_mails.send(invitation, token):
        messages.success(request, f"{invitation.email} is invited.")
    else:
        messages.warning(
            request,
            f"{invitation.email} is invited, but the e-mail could not be sent just now."
            " In a few minutes, use “Send again”.",
        )
    return redirect("accounts:members", membership.organization.slug)


def _few_enough(membership: Membership, email: str) -> bool:
    to_one = f"{membership.organization_id}:{email.lower()}"
    return rate_limits.allow(
        "invite.by", key=str(membership.user_id), limit=PER_HOUR, per_seconds=3600
    ) and rate_limits.allow(
        "invite.to", key=to_one, limit=TO_ONE_ADDRESS_PER_HOUR, per_seconds=3600
    )
