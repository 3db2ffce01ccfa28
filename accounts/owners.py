"""An organization is never without an owner, whoever acts at the same moment."""

from __future__ import annotations

from accounts.models import Membership, Organization, User
from accounts.rights import ROLES_WITH, Right


class NoOwnerLeft(Exception):
    """What was asked for would leave the organization without an owner."""


def lock(organization: Organization) -> None:
    """Lets one change of owners at a time through, until the transaction ends.

    Everything that takes the role away, or ends a membership, begins with it.
    """
    # Not for its key, which rows that point to the organization look at.
    rows = Organization.objects.select_for_update(no_key=True)
    list(rows.filter(pk=organization.pk).values_list("pk"))


def lock_person(user: User) -> bool:
    """Whether the person's account is there; it is, then, until the transaction ends.

    Deleting an account begins with it as well, so that nobody joins meanwhile what
    would be left without an owner. It comes before `lock`.
    """
    rows = User.objects.select_for_update(no_key=True)
    return bool(rows.filter(pk=user.pk).values_list("pk"))


def check_one_stays(membership: Membership) -> None:
    """Raises NoOwnerLeft if nobody else owns the organization.

    Meaningful under `lock` alone. Whoever owns nothing may always go.
    """
    if owns_alone(membership):
        raise NoOwnerLeft


def owns_alone(membership: Membership) -> bool:
    """Whether no other member who can sign in owns the organization."""
    members = Membership.objects.for_organization(membership.organization_id)
    owners = members.filter(role__in=ROLES_WITH[Right.OWN])
    others = owners.filter(user__is_active=True).exclude(pk=membership.pk)
    return owners.filter(pk=membership.pk).exists() and not others.exists()
