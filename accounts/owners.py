"""An organization is never without an owner, whoever acts at the same moment."""

from __future__ import annotations

from accounts.models import Membership, Organization
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


def check_one_stays(membership: Membership) -> None:
    """Raises NoOwnerLeft if nobody but this member owns the organization.

    Meaningful under `lock` alone.
    """
    owners = Membership.objects.filter(
        organization=membership.organization_id, role__in=ROLES_WITH[Right.OWN]
    ).values_list("pk", flat=True)
    if list(owners) == [membership.pk]:
        raise NoOwnerLeft
