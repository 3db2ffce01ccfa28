"""A membership ends, and everything in the organization that stands on it.

In one transaction (T05): the linked sites that run through the person's grants, what
waits to be linked, the keys they made and the mails they had sent. The shared sites
leave their ids behind (`vacant_sites`). A refresh under way is fenced by `unlink`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from accounts import owners
from accounts.isolation import across_organizations
from accounts.models import Invitation, Membership, ServiceKey
from confluence_link import events
from confluence_link.linking import vacant_sites
from confluence_link.linking.unlink import unlink
from confluence_link.models import (
    Event,
    LinkedSite,
    LinkInvitation,
    PendingLink,
    ServerSetup,
    database_now,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from accounts.models import User


@dataclass(frozen=True, slots=True)
class SiteEnd:
    """What the end of a membership does to one linked site.

    Not whether its tokens are erased with it: that would tell an organization whether
    another one uses the account.
    """

    linked_site: LinkedSite
    # Shared sites keep their id for whoever links them next.
    becomes_vacant: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """Some of the ends, and how many there are beyond those."""

    ends: list[SiteEnd]
    more: int


def preview(*, membership: Membership, at_most: int) -> Preview:
    """What `end_membership` would do to linked sites, shared ones first.

    In an order in which those that are linked meanwhile come last.
    """
    sites = _sites_of(membership)
    first = sites.order_by("-shared", "pk")[:at_most]
    ends = [SiteEnd(site, site.shared) for site in first]
    return Preview(ends, more=max(sites.count() - at_most, 0))


@across_organizations()
@transaction.atomic
def end_membership(
    *,
    membership: Membership,
    actor: User,
    adopters: Mapping[str, Membership] | None = None,
) -> None:
    """Removes a member, or lets them leave if they are the actor themselves.

    `adopters` are asked to take over the linked sites with these public ids. Raises
    `owners.NoOwnerLeft`.
    """
    owners.lock(membership.organization)
    if not Membership.objects.filter(pk=membership.pk).exists():
        # Somebody else was quicker, and told of it.
        return
    owners.check_one_stays(membership)
    end_links(
        membership=membership,
        actor=actor,
        adopters=adopters,
        former=membership.user,
    )
    record_end(membership=membership, actor=actor)
    # The receiver of the deletion finds all of it done.
    membership.is_ending = True  # type: ignore[attr-defined]  # read by `receivers`
    membership.delete()


@across_organizations()
@transaction.atomic
def end_links(
    *,
    membership: Membership,
    actor: User | None,
    adopters: Mapping[str, Membership] | None = None,
    former: User | None = None,
    leaves_ids: bool = True,
) -> None:
    """Ends what stands on a membership that is about to end.

    Without `leaves_ids` no site becomes vacant: the organization itself ends.
    """
    # Whoever confirms a link at this moment comes before, or finds no membership.
    list(Membership.objects.select_for_update(of=("self",)).filter(pk=membership.pk))
    _revoke(membership)
    for linked_site in _sites_of(membership):
        unlink(linked_site=linked_site, actor=actor)
        if leaves_ids and linked_site.shared:
            vacant_sites.vacate(
                linked_site=linked_site,
                former=former,
                adopter=(adopters or {}).get(linked_site.public_id),
                actor=actor,
            )
    vacant_sites.forget_adopter(membership)


def record_end(*, membership: Membership, actor: User | None) -> None:
    left = actor is not None and actor.pk == membership.user_id
    events.record(
        Event.Kind.MEMBER_LEFT if left else Event.Kind.MEMBER_REMOVED,
        organization=membership.organization,
        actor=actor,
        who=membership.user.email,
        role=membership.role,
    )


def _sites_of(membership: Membership) -> QuerySet[LinkedSite]:
    """Grant by grant, so that two who end links lock the grants in one order."""
    sites = LinkedSite.objects.for_organization(membership.organization)
    return sites.filter(grant__user=membership.user_id).order_by("grant", "name", "pk")


def _revoke(membership: Membership) -> None:
    """Keys and mails of theirs are worth nothing from now on; the rows tell of them."""
    now, user = database_now(), membership.user_id
    here = {"organization": membership.organization_id}
    ServiceKey.objects.filter(created_by=user, revoked_at=None, **here).update(
        revoked_at=now
    )
    for sent in (Invitation, LinkInvitation, ServerSetup):
        sent.objects.filter(invited_by=user, revoked_at=None, **here).update(
            revoked_at=now
        )
    LinkInvitation.objects.filter(user=user, revoked_at=None, **here).update(
        revoked_at=now
    )
    PendingLink.objects.filter(user=user, **here).delete()
