"""Grants rest while their person, or all organizations that use them, are switched off.

A resting grant is not refreshed and nothing of it is handed out; its tokens stay
sealed, and an answer that was on its way is stored. It goes on where it stopped.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from accounts.isolation import across_organizations
from accounts.models import Organization, User
from confluence_link import events
from confluence_link.models import Event, Grant, database_now

if TYPE_CHECKING:
    from datetime import datetime

    from confluence_link.models.grant import GrantQuerySet


@across_organizations()
def follow(grants: GrantQuerySet) -> None:
    """Pauses and resumes those of these grants for which it is time."""
    resting = grants.resting()
    with transaction.atomic():
        _move(resting, Grant.Status.ACTIVE, Grant.Status.PAUSED)
        now = database_now()
        back = grants.exclude(pk__in=resting.values("pk"))
        for pk in _move(back, Grant.Status.PAUSED, Grant.Status.ACTIVE):
            _make_due(pk, now)


@across_organizations()
def follow_all() -> None:
    """Resumes what an answer paused that was stored while its person was switched on.

    Its statement saw them switched off, and waited for the row of the grant.
    """
    paused = Grant.objects.filter(status=Grant.Status.PAUSED)
    for grant in paused.exclude(pk__in=paused.resting().values("pk")):
        with transaction.atomic():
            # Whoever switches them off again holds these rows meanwhile.
            users = User.objects.select_for_update().filter(pk=grant.user_id)
            used = grant.linked_sites.values("organization")
            organizations = Organization.objects.select_for_update().filter(pk__in=used)
            list(users.values_list("pk")), list(organizations.values_list("pk"))
            follow(Grant.objects.filter(pk=grant.pk))


def _move(grants: GrantQuerySet, was: Grant.Status, becomes: Grant.Status) -> list[int]:
    """Changes the status of those that still have `was`; their ids."""
    ids = grants.filter(status=was).order_by("pk").values_list("pk", flat=True)
    moved = []
    for pk in list(ids):
        row = Grant.objects.filter(pk=pk, status=was)
        # What a sweep queued is not sent; a lease is left to its exchange.
        if row.update(status=becomes, queued_until=None):
            events.record(_TOLD[becomes], grant=Grant.objects.get(pk=pk))
            moved.append(pk)
    return moved


_TOLD = {
    Grant.Status.PAUSED: Event.Kind.GRANT_PAUSED,
    Grant.Status.ACTIVE: Event.Kind.GRANT_RESUMED,
}


def _make_due(pk: int, now: datetime) -> None:
    """Nothing was renewed meanwhile, unless it was a moment ago."""
    rotated = timedelta(seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS)
    rested = Grant.objects.filter(pk=pk, last_rotated_at__lte=now - rotated)
    rested.update(refresh_at=now)
