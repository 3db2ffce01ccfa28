"""An organization or a person is deleted, and with them everything that was sealed.

What is erased here is erased from the rows. The record stays: events lose their
organization and their actor, and keep what they tell in their facts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count

from accounts import owners
from accounts.isolation import across_organizations
from accounts.models import Membership, Organization
from confluence_link import events
from confluence_link.linking.leaving import end_links, end_membership
from confluence_link.models import Event, Grant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from accounts.models import User


class OnlyOwner(Exception):
    """Others are in organizations that nobody else owns: ownership comes first."""

    def __init__(self, organizations: Sequence[Organization]) -> None:
        super().__init__(f"{len(organizations)} organizations")
        self.organizations = organizations


@dataclass(frozen=True, slots=True)
class AccountEnd:
    """What deleting a person's account does to their organizations."""

    # They are alone there, so it ends with them.
    deleted: list[Organization]
    left: list[Membership]
    # Nobody else owns these, and others are in them.
    blocking: list[Organization]


@across_organizations()
@transaction.atomic
def delete_organization(*, organization: Organization, actor: User | None) -> None:
    """Ends every link, then everything that belongs to the organization.

    Tokens are erased where no other organization uses the grant.
    """
    owners.lock(organization)
    end_organization(organization)
    # Of its own servers, which go too; nothing else could use these grants.
    Grant.objects.filter(oauth_app__organization=organization).delete()
    events.record(
        Event.Kind.ORGANIZATION_DELETED,
        actor=actor,
        name=organization.name,
        slug=organization.slug,
    )
    organization.delete()


@across_organizations()
@transaction.atomic
def end_organization(organization: Organization) -> None:
    """What must happen before the rows go, whoever deletes them."""
    for membership in organization.memberships.order_by("pk"):
        end_links(membership=membership, actor=None, leaves_ids=False)
    # Without an organization an event is told to whoever uses the grant.
    Event.objects.filter(organization=organization).update(grant=None)


@across_organizations()
def preview(user: User) -> AccountEnd:
    memberships = (
        Membership.objects.filter(user=user)
        .select_related("organization")
        .annotate(members=Count("organization__memberships"))
        .order_by("organization__name", "pk")
    )
    end = AccountEnd([], [], [])
    for membership in memberships:
        members: int = membership.members  # type: ignore[attr-defined]  # annotated
        if members == 1:
            end.deleted.append(membership.organization)
        elif owners.owns_alone(membership):
            end.blocking.append(membership.organization)
        else:
            end.left.append(membership)
    return end


@across_organizations()
@transaction.atomic
def delete_person(*, user: User) -> None:
    """Erases the person's account with all grants. Raises OnlyOwner.

    They leave their organizations as if one by one; those in which they are alone are
    deleted.
    """
    owners.lock_person(user)
    for organization in Organization.objects.filter(memberships__user=user).order_by(
        "pk"
    ):
        owners.lock(organization)
    end = preview(user)
    if end.blocking:
        raise OnlyOwner(end.blocking)
    for organization in end.deleted:
        delete_organization(organization=organization, actor=user)
    for membership in end.left:
        end_membership(membership=membership, actor=user)
    user.delete()
