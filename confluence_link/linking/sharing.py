"""Who uses a linked site: its linker alone, or the organization and its services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from confluence_link import events
from confluence_link.models import Event, LinkedSite

if TYPE_CHECKING:
    from accounts.models import User


def share(*, linked_site: LinkedSite, actor: User) -> None:
    """Lets the members and services of its organization use the site."""
    _set_shared(linked_site, True, Event.Kind.SITE_SHARED, actor)


def keep_private(*, linked_site: LinkedSite, actor: User) -> None:
    """Keeps the site to the person whose account it is linked through.

    From then on nothing of it is shown or handed to anybody else; access tokens that
    services already have live to their own end.
    """
    _set_shared(linked_site, False, Event.Kind.SITE_UNSHARED, actor)


def _set_shared(
    linked_site: LinkedSite, shared: bool, kind: Event.Kind, actor: User
) -> None:
    row = LinkedSite.objects.filter(pk=linked_site.pk, shared=not shared)
    with transaction.atomic():
        if not row.update(shared=shared):
            return
        events.record(
            kind,
            grant=linked_site.grant,
            organization=linked_site.organization,
            actor=actor,
            site=linked_site.name,
            linked_site=linked_site.public_id,
        )
    linked_site.shared = shared
