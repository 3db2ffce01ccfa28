"""Asking members to link an account: the organization's page, its forms, the mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import mails, rate_limits
from accounts.models import User
from accounts.rights import Right
from accounts.tenancy import with_right
from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.forms import LinkInvitationForm
from confluence_link.models import LinkedSite, database_now

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership
    from confluence_link.models import LinkInvitation, OAuthApp, VacantSite

# Mails that one member may get, and one organization may send.
TO_ONE_PER_HOUR: Final = 5
IN_ALL_PER_HOUR: Final = 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_right(Right.SEND_LINK_INVITATIONS)
def link_invitations(request: HttpRequest, membership: Membership) -> HttpResponse:
    """The form, which an address may fill in (person, app, site), and what is open."""
    organization = membership.organization
    form = LinkInvitationForm(
        request.POST or None, initial=request.GET.dict(), organization=organization
    )
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        _send(request, membership, form.member, chosen["app"], chosen["site"])
        return redirect("confluence_link:link_invitations", organization.slug)
    context = {
        "form": form,
        "waiting": linking.waiting_invitations(organization, database_now()),
    }
    return render(request, "confluence_link/link_invitations.html", context)


@require_POST
@with_right(Right.SEND_LINK_INVITATIONS)
def revoke_link_invitation(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    organization, now = membership.organization, database_now()
    waiting = linking.waiting_invitations(organization, now)
    invitation = get_object_or_404(waiting, public_id=public_id)
    linking.revoke_invitation(invitation=invitation, now=now)
    messages.success(request, f"What {invitation.user} was mailed works no more.")
    return redirect("confluence_link:link_invitations", organization.slug)


@require_POST
@with_right(Right.SEND_LINK_INVITATIONS)
def ask_to_reconnect(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    """Of a card whose account is somebody else's."""
    sites = LinkedSite.objects.visible_to(membership)
    grant = get_object_or_404(sites, public_id=public_id).grant
    _send(request, membership, grant.user, grant.oauth_app, None)
    return redirect("confluence_link:linked_sites", membership.organization.slug)


# Sending
# ------------------------------------------------------------------------------
def _send(
    request: HttpRequest,
    membership: Membership,
    user: User,
    oauth_app: OAuthApp,
    vacant_site: VacantSite | None,
) -> None:
    """Invites and mails at once: the token is nowhere else."""
    if not _allowed(membership, user):
        messages.error(request, f"{user} was asked often already. Try again later.")
        return
    try:
        invitation, token = linking.invite_to_link(
            organization=membership.organization,
            user=user,
            oauth_app=oauth_app,
            actor=membership.user,
            now=database_now(),
            vacant_site=vacant_site,
        )
    except LinkRefused:
        messages.error(request, f"{user} is not a member any more.")
        return
    if _mailed(invitation, token):
        messages.success(request, f"{user} got a mail that works for four hours.")
    else:
        linking.revoke_invitation(invitation=invitation, now=database_now())
        messages.error(request, "The mail could not be sent. Try again later.")


def _allowed(membership: Membership, user: User) -> bool:
    organization = str(membership.organization_id)
    return rate_limits.allow(
        "link_invitation_to",
        key=f"{organization}:{user.pk}",
        limit=TO_ONE_PER_HOUR,
        per_seconds=3600,
    ) and rate_limits.allow(
        "link_invitation", key=organization, limit=IN_ALL_PER_HOUR, per_seconds=3600
    )


def _mailed(invitation: LinkInvitation, token: str) -> bool:
    path = reverse("link_invitation_arrival", args=[token])
    site = invitation.vacant_site
    context = {
        "inviter": mails.one_line(str(invitation.invited_by)),
        "organization": mails.one_line(invitation.organization.name),
        "app": mails.one_line(invitation.oauth_app.name),
        "site": mails.one_line(str(site)) if site else "",
        "address": invitation.user.email,
        "url": f"{settings.PUBLIC_URL}{path}",
    }
    template = "confluence_link/mail/link_invitation"
    return mails.send(template, context, to=invitation.user.email)
