"""What must follow from what happens elsewhere, whichever way it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.db.models.signals import post_save, pre_delete
from django.dispatch import receiver

from accounts.happenings import happened
from accounts.models import Membership, Organization, User
from confluence_link import events
from confluence_link.linking import deleting, leaving, pausing
from confluence_link.models import Event, Grant

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import Model


@receiver(happened)
def record(
    kind: str,
    organization: Organization | None,
    actor: User | None,
    facts: dict[str, Any],
    **kwargs: object,
) -> None:
    """Keeps what happened to people in the record of everything."""
    events.record(Event.Kind(kind), organization=organization, actor=actor, **facts)


# Ends
# ------------------------------------------------------------------------------
@receiver(pre_delete, sender=Membership)
def end_links(
    instance: Membership, origin: Model | QuerySet[Any], **kwargs: object
) -> None:
    """For every way that is not `leaving.end_membership`: the admin, a cascade."""
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    # Rows that point to a person who is being deleted could not be written.
    leaving.end_links(
        membership=instance,
        actor=None,
        former=instance.user if deleted is Membership else None,
        leaves_ids=deleted is not Organization,
    )
    if deleted is not Organization and not getattr(instance, "is_ending", False):
        leaving.record_end(membership=instance, actor=None)


@receiver(pre_delete, sender=Organization)
def end_organization(instance: Organization, **kwargs: object) -> None:
    deleting.end_organization(instance)


# Switched off, and on again
# ------------------------------------------------------------------------------
@receiver(post_save, sender=User)
def follow_person(
    instance: User,
    created: bool,
    update_fields: Collection[str] | None,
    **kwargs: object,
) -> None:
    if not created and (update_fields is None or "is_active" in update_fields):
        pausing.follow(Grant.objects.filter(user=instance))


@receiver(post_save, sender=Organization)
def follow_organization(
    instance: Organization,
    created: bool,
    update_fields: Collection[str] | None,
    **kwargs: object,
) -> None:
    if not created and (update_fields is None or "is_active" in update_fields):
        used = instance.linked_sites.values("grant")
        pausing.follow(Grant.objects.filter(pk__in=used))
