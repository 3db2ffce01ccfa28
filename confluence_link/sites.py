"""What a token reaches, and the linked sites kept true to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts.isolation import across_organizations
from confluence_link import atlassian, events
from confluence_link.models import Event, Grant, LinkedSite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluence_link.atlassian import Site


def known_sites(rows: Sequence[dict[str, object]]) -> tuple[Site, ...]:
    """The sites of a `sites` column."""
    return tuple(atlassian.Site.from_dict(row) for row in rows)


@across_organizations()
def keep_listed(*, grant: Grant, sites: Sequence[Site]) -> None:
    """Writes down what the token reaches now.

    A linked site that is no longer listed is marked as lost, never deleted: it comes
    back with its settings when the list names it again. Names, URLs and icons follow
    the list. The list of an earlier consent changes nothing.
    """
    listed = {site.site_id: site for site in sites}
    with transaction.atomic():
        current = Grant.objects.filter(pk=grant.pk, epoch=grant.epoch)
        if not current.update(sites=[site.as_dict() for site in sites]):
            return
        linked = LinkedSite.objects.select_for_update(of=("self",)).filter(grant=grant)
        for linked_site in linked.select_related("organization"):
            _follow(linked_site, listed.get(linked_site.site_id), grant)


def _follow(linked_site: LinkedSite, site: Site | None, grant: Grant) -> None:
    was_lost = linked_site.status == LinkedSite.Status.LOST
    if site is None:
        if linked_site.status == LinkedSite.Status.LINKED:
            linked_site.status = LinkedSite.Status.LOST
            _record(Event.Kind.SITE_LOST, linked_site, grant)
    else:
        linked_site.name, linked_site.icon_url = site.name, site.icon_url
        linked_site.url, linked_site.scopes = site.url, list(site.scopes)
        if was_lost:
            linked_site.status = LinkedSite.Status.LINKED
            _record(Event.Kind.SITE_BACK, linked_site, grant)
    linked_site.save()


def _record(kind: Event.Kind, linked_site: LinkedSite, grant: Grant) -> None:
    events.record(
        kind,
        grant=grant,
        organization=linked_site.organization,
        site=linked_site.name,
        linked_site=linked_site.public_id,
    )
