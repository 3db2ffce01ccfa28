"""Asking a member to link an account for the organization.

The token is in the mail and nowhere else: the row has its hash. It opens a short page
for that very member; its button is used once and leads to the start of a link.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from accounts.isolation import across_organizations
from accounts.mailed_links import digest, new_token
from accounts.models import Membership
from accounts.rights import Right
from confluence_link import events
from confluence_link.errors import LinkRefused
from confluence_link.linking.pending import check_member
from confluence_link.models import Event, LinkInvitation, OAuthApp

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Organization, User
    from confluence_link.models import VacantSite

INVITATION_LIFE: Final = timedelta(hours=4)


def waiting_invitations(
    organization: Organization, now: datetime
) -> QuerySet[LinkInvitation]:
    """Those that may still be used, as far as time tells."""
    rows = LinkInvitation.objects.for_organization(organization).open(now)
    return rows.select_related("user", "oauth_app", "vacant_site", "invited_by")


def invite_to_link(
    *,
    organization: Organization,
    user: User,
    oauth_app: OAuthApp,
    actor: User,
    now: datetime,
    vacant_site: VacantSite | None = None,
) -> tuple[LinkInvitation, str]:
    """The invitation and its token, which is for the mail alone.

    An older one to the same person for the same app ends. Raises LinkRefused:
    not_member.
    """
    token = new_token()
    with transaction.atomic():
        check_member(user, organization)
        here = LinkInvitation.objects.for_organization(organization)
        older = here.open(now).filter(user=user, oauth_app=oauth_app)
        older.update(revoked_at=now)
        invitation = LinkInvitation.objects.create(
            organization=organization,
            user=user,
            oauth_app=oauth_app,
            vacant_site=vacant_site,
            token_hash=digest(token),
            invited_by=actor,
            created_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        events.record(
            Event.Kind.LINK_INVITED,
            organization=organization,
            actor=actor,
            oauth_app=oauth_app,
            who=user.email,
            app=oauth_app.name,
        )
    return invitation, token


def revoke_invitation(*, invitation: LinkInvitation, now: datetime) -> None:
    """Ends it; one that has ended already stays as it is."""
    rows = LinkInvitation.objects.open(now)
    rows.filter(pk=invitation.pk).update(revoked_at=now)


@across_organizations()
def find_invitation(*, token_hash: str, user: User, now: datetime) -> LinkInvitation:
    """The open invitation of this token, which the person may use.

    Raises LinkRefused: invitation_gone, the same for unknown, used, expired and
    revoked ones, and for those that nobody could send any more; invitation_other.
    """
    rows = LinkInvitation.objects.open(now).select_related(
        "organization", "oauth_app", "vacant_site", "invited_by"
    )
    invitation = rows.filter(token_hash=token_hash).first()
    if invitation is None or not _stands(invitation):
        raise LinkRefused("invitation_gone")
    if invitation.user_id != user.pk:
        raise LinkRefused("invitation_other")
    return invitation


@across_organizations()
def use_invitation(*, token_hash: str, user: User, now: datetime) -> LinkInvitation:
    """Uses it up: of two at once, one does. Raises what `find_invitation` raises."""
    invitation = find_invitation(token_hash=token_hash, user=user, now=now)
    unused = LinkInvitation.objects.open(now).filter(pk=invitation.pk)
    if not unused.update(used_at=now):
        raise LinkRefused("invitation_gone")
    return invitation


def _stands(invitation: LinkInvitation) -> bool:
    """Whether it could be sent now: people, organization, right and app."""
    organization = invitation.organization
    inviter = Membership.objects.of_sender(invitation)
    members = Membership.objects.in_force().for_organization(organization)
    apps = OAuthApp.objects.for_organization(organization)
    return (
        inviter is not None
        and inviter.may(Right.SEND_LINK_INVITATIONS)
        and members.filter(user=invitation.user_id).exists()
        and apps.filter(pk=invitation.oauth_app_id).exists()
    )
