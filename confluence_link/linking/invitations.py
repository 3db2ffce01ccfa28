"""Asking a member to link an account for the organization.

The token is in the mail and nowhere else: the row has its hash. It opens a short page
for that very member; its button is used once and leads to the start of a link.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from accounts.isolation import across_organizations
from accounts.models import Membership
from accounts.rights import Right
from confluence_link import events
from confluence_link.errors import LinkRefused
from confluence_link.linking.pending import check_member
from confluence_link.linking.states import digest
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
    rows = _open(now).filter(organization=organization)
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
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        check_member(user, organization)
        older = _open(now).filter(organization=organization, user=user)
        older.filter(oauth_app=oauth_app).update(revoked_at=now)
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
    _open(now).filter(pk=invitation.pk).update(revoked_at=now)


@across_organizations()
def find_invitation(*, token_hash: str, user: User, now: datetime) -> LinkInvitation:
    """The open invitation of this token, which the person may use.

    Raises LinkRefused: invitation_gone, the same for unknown, used, expired and
    revoked ones, and for those that nobody could send any more; invitation_other.
    """
    rows = _open(now).select_related(
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
    if not _open(now).filter(pk=invitation.pk).update(used_at=now):
        raise LinkRefused("invitation_gone")
    return invitation


def _open(now: datetime) -> QuerySet[LinkInvitation]:
    return LinkInvitation.objects.filter(
        used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now
    )


def _stands(invitation: LinkInvitation) -> bool:
    """Whether it could be sent now: people, organization, right and app."""
    organization = invitation.organization
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    inviter = members.filter(user=invitation.invited_by_id).first()
    apps = OAuthApp.objects.for_organization(organization)
    return (
        organization.is_active
        and inviter is not None
        and inviter.may(Right.SEND_LINK_INVITATIONS)
        and members.filter(user=invitation.user_id).exists()
        and apps.filter(pk=invitation.oauth_app_id).exists()
    )
