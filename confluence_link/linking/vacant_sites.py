"""A shared site whose linker left keeps its id until somebody else links it.

Services and addresses name a linked site by its public id. While nobody's account
leads there the id waits in a `VacantSite`, with whoever was asked to take it over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Case, F, Value, When

from accounts.isolation import across_organizations
from accounts.models import Membership
from confluence_link import events
from confluence_link.models import Event, LinkedSite, VacantSite, database_now

if TYPE_CHECKING:
    from accounts.models import User


def vacate(
    *,
    linked_site: LinkedSite,
    former: User | None,
    adopter: Membership | None,
    actor: User | None,
) -> None:
    """Keeps what others know of a linked site that ends, in the same transaction."""
    vacant_site = VacantSite.objects.create(
        public_id=linked_site.public_id,
        organization=linked_site.organization,
        oauth_app=linked_site.grant.oauth_app,
        site_id=linked_site.site_id,
        name=linked_site.name,
        url=linked_site.url,
        icon_url=linked_site.icon_url,
        label=linked_site.label,
        shared=linked_site.shared,
        former=former,
        vacated_at=database_now(),
    )
    _record(Event.Kind.SITE_VACATED, vacant_site, actor)
    if adopter is not None:
        name_adopter(vacant_site=vacant_site, adopter=adopter, actor=actor)


def name_adopter(
    *, vacant_site: VacantSite, adopter: Membership | None, actor: User | None
) -> None:
    """Asks a member, who hears of it by mail, or nobody yet.

    Who is no member any more is nobody.
    """
    rows = VacantSite.objects.filter(
        pk=vacant_site.pk, organization=vacant_site.organization_id
    )
    with transaction.atomic():
        adopter = adopter and _still_member(adopter)
        user = adopter.user if adopter is not None else None
        if not rows.update(adopter=user) or adopter is None:
            return
        _record(
            Event.Kind.ADOPTER_NAMED,
            vacant_site,
            actor,
            who=adopter.user.email,
            member=adopter.public_id,
        )


def drop(*, vacant_site: VacantSite, actor: User) -> None:
    """Lets the id go for good: nobody needs the site any more."""
    rows = VacantSite.objects.filter(pk=vacant_site.pk)
    with transaction.atomic():
        if rows.delete()[0]:
            _record(Event.Kind.VACANT_SITE_DROPPED, vacant_site, actor)


def adopt(*, linked_site: LinkedSite, actor: User, is_new: bool, for_all: bool) -> None:
    """Gives a linked site that the organization may use the id that waits for it.

    `for_all` is what the linker chose now. A link that was there before keeps the id
    that others know. Only one that its linker kept to themselves changes it, if this
    very person was asked to take the site over.
    """
    others_know_it = linked_site.shared and not is_new
    if others_know_it or not for_all:
        return
    waiting = VacantSite.objects.select_for_update(of=("self",)).filter(
        organization=linked_site.organization_id,
        oauth_app=linked_site.grant.oauth_app_id,
        site_id=linked_site.site_id,
    )
    if not is_new:
        waiting = waiting.filter(adopter=actor)
    asked_first = Case(When(adopter=actor, then=Value(0)), default=Value(1))
    vacant_site = waiting.order_by(asked_first, F("vacated_at")).first()
    if vacant_site is None:
        return
    vacant_site.delete()
    linked_site.public_id, linked_site.label = vacant_site.public_id, vacant_site.label
    linked_site.shared = vacant_site.shared
    linked_site.save(update_fields=["public_id", "label", "shared"])
    events.record(
        Event.Kind.SITE_ADOPTED,
        grant=linked_site.grant,
        organization=linked_site.organization,
        actor=actor,
        site=linked_site.name,
        linked_site=linked_site.public_id,
    )


@across_organizations()
def forget_adopter(membership: Membership) -> None:
    """Who is no member any more takes nothing over."""
    VacantSite.objects.filter(
        organization=membership.organization_id, adopter=membership.user_id
    ).update(adopter=None)


def _still_member(membership: Membership) -> Membership | None:
    """As it is now; until the transaction ends it does not end."""
    rows = Membership.objects.select_for_update(of=("self",))
    return rows.filter(pk=membership.pk).select_related("user").first()


def _record(
    kind: Event.Kind, vacant_site: VacantSite, actor: User | None, **facts: Any
) -> None:
    events.record(
        kind,
        organization=vacant_site.organization,
        oauth_app=vacant_site.oauth_app,
        actor=actor,
        site=vacant_site.name,
        linked_site=vacant_site.public_id,
        **facts,
    )
