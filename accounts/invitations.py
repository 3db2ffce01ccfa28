"""Inviting people by e-mail, and joining.

The token is in the mail and nowhere else: the row has its hash. It opens the
invitation's page; joining takes an account with the invited address, verified, too.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models.functions import Now
from django.db.models.signals import post_save
from django.dispatch import receiver

from accounts import owners
from accounts.happenings import tell
from accounts.isolation import across_organizations
from accounts.mailed_links import digest, new_token
from accounts.models import Invitation, Membership

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models import Organization, User

LIFE: Final = timedelta(days=7)


class InvitationRefused(Exception):
    """Why nobody joins; `reason` is "gone", "other_address" or "unverified_address"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AlreadyMember(Exception):
    """Somebody with this address is in the organization."""


def waiting(organization: Organization) -> QuerySet[Invitation]:
    """Those that nobody accepted or revoked; some may have expired meanwhile."""
    rows = Invitation.objects.for_organization(organization).unended()
    return rows.select_related("organization", "invited_by")


def purge(*, now: datetime) -> None:
    """Forgets what was over long ago."""
    Invitation.objects.forget_old(now)


@transaction.atomic
def invite(
    *, organization: Organization, email: str, role: str, actor: User, now: datetime
) -> tuple[Invitation, str]:
    """The invitation and its token, which is for the mail alone.

    An older one to the same address ends. Raises PermissionDenied if the role is
    above the inviter's, or AlreadyMember.
    """
    owners.lock(organization)
    _check_may_offer(organization, role, actor)
    email = email.lower()
    if _is_member(organization, email):
        raise AlreadyMember
    waiting(organization).filter(email=email).update(revoked_at=now)
    token = new_token()
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        token_hash=digest(token),
        invited_by=actor,
        created_at=now,
        expires_at=now + LIFE,
    )
    facts = {"who": email, "role": role}
    tell("member.invited", organization=organization, actor=actor, **facts)
    return invitation, token


@transaction.atomic
def revoke(*, invitation: Invitation, actor: User, now: datetime) -> None:
    """Ends it. Raises PermissionDenied if the role is above the person's own."""
    organization = invitation.organization
    _check_may_offer(organization, invitation.role, actor)
    rows = waiting(organization).filter(pk=invitation.pk)
    if rows.update(revoked_at=now):
        tell(
            "member.invitation_revoked",
            organization=organization,
            actor=actor,
            who=invitation.email,
            role=invitation.role,
        )


@across_organizations()
def find(*, token_hash: str, now: datetime) -> Invitation:
    """The open invitation of this token. Raises InvitationRefused ("gone").

    It is worth nothing once its inviter could not make it any more.
    """
    rows = Invitation.objects.open(now).select_related("organization", "invited_by")
    invitation = rows.filter(token_hash=token_hash).first()
    if invitation is None or not _stands(invitation):
        raise InvitationRefused("gone")
    return invitation


def check_address(*, invitation: Invitation, user: User) -> None:
    """Raises InvitationRefused if the person has not proved the invited address."""
    own = EmailAddress.objects.filter(user=user, email__iexact=invitation.email)
    verified = own.values_list("verified", flat=True).first()
    if verified is None:
        raise InvitationRefused("other_address")
    if not verified:
        raise InvitationRefused("unverified_address")


@across_organizations()
@transaction.atomic
def accept(*, token_hash: str, user: User, now: datetime) -> Membership:
    """Joins, once. Who is a member already keeps the role.

    Raises InvitationRefused.
    """
    if not owners.lock_person(user):
        raise InvitationRefused("gone")
    invitation = find(token_hash=token_hash, now=now)
    check_address(invitation=invitation, user=user)
    # Until the end nobody changes the role of who invited.
    owners.lock(invitation.organization)
    unused = Invitation.objects.open(now).filter(pk=invitation.pk)
    claimed = unused.update(accepted_at=now)
    if not claimed or not _stands(invitation):
        raise InvitationRefused("gone")
    membership, joined = Membership.objects.get_or_create(
        organization=invitation.organization,
        user=user,
        defaults={"role": invitation.role},
    )
    if joined:
        tell(
            "member.joined",
            organization=membership.organization,
            actor=user,
            who=user.email,
            role=membership.role,
        )
    return membership


@receiver(post_save, sender=Membership)
def end_what_is_above_the_role(instance: Membership, **kwargs: object) -> None:
    """Who may invite no more, or not as high, takes such invitations along."""
    here = Invitation.objects.for_organization(instance.organization_id)
    rows = here.unended().filter(invited_by=instance.user_id)
    ended = [each.pk for each in rows if not instance.may_give(each.role)]
    rows.filter(pk__in=ended).update(revoked_at=Now())


def _stands(invitation: Invitation) -> bool:
    """Whether the inviter could invite with this role now."""
    inviter = Membership.objects.of_sender(invitation)
    return inviter is not None and inviter.may_give(invitation.role)


def _check_may_offer(organization: Organization, role: str, actor: User) -> None:
    members = Membership.objects.for_organization(organization)
    acting = members.filter(user=actor).first()
    if acting is None or not acting.may_give(role):
        raise PermissionDenied


def _is_member(organization: Organization, email: str) -> bool:
    people = EmailAddress.objects.filter(email__iexact=email, verified=True)
    members = Membership.objects.for_organization(organization)
    return members.filter(user__in=people.values("user")).exists()
