"""Reminders of a grant's end: 30, 14, 7 and 1 days ahead, each once.

When one was sent last stands in the row (`reminded_at`). A step is due if none was sent
since it began. So a new consent, or a refresh that works again, starts anew by itself,
because it moves the end; and after an outage of ours only the nearest step is sent.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from django.db import transaction

from accounts.isolation import across_organizations
from confluence_link import events, forecast
from confluence_link.models import Event, Grant, database_now

if TYPE_CHECKING:
    from datetime import datetime

    from confluence_link.forecast import Limit

STEPS_DAYS: Final = (1, 7, 14, 30)
# Of each step and limit in one run; the next run goes on.
AT_ONCE: Final = 1000


@across_organizations()
def remind() -> int:
    """Records the reminders that are due; how many. The mails follow from the events.

    The nearest steps come first, and within them what ends first.
    """
    now = database_now()
    return sum(
        _remind(limit, later, nearer, now)
        for nearer, later in pairwise((0, *STEPS_DAYS))
        for limit in forecast.LIMITS
    )


def _remind(limit: Limit, days: int, nearer_days: int, now: datetime) -> int:
    due = (
        Grant.objects.filter(
            limit.ending(
                after=now + timedelta(days=nearer_days),
                until=now + timedelta(days=days),
            ),
            limit.not_told_since(days_ahead=days),
        )
        .select_related("oauth_app")
        .order_by(limit.since, "pk")[:AT_ONCE]
    )
    return sum(_tell(grant, limit, now) for grant in due)


def _tell(grant: Grant, limit: Limit, now: datetime) -> bool:
    """False if another process told it, or it does not end so any more."""
    as_read = Grant.objects.filter(
        pk=grant.pk,
        status=Grant.Status.ACTIVE,
        epoch=grant.epoch,
        reminded_at=grant.reminded_at,
        **{limit.since: getattr(grant, limit.since)},
    )
    end = forecast.End(limit.ends_at(grant), limit.name)
    with transaction.atomic():
        if not as_read.update(reminded_at=now):
            return False
        events.record(
            Event.Kind.ENDS_SOON,
            grant=grant,
            days=end.days_left(now),
            ends_on=f"{end.at:%-d %B %Y}",
            limit=end.limit,
            epoch=grant.epoch,
        )
    return True
