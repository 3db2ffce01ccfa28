"""When a grant ends at the latest, if nothing changes. Computed, never stored.

Two limits end it (facts A4, B3): the days after the consent, which no refresh moves
(Cloud), and the days after the last rotation, which matter only where refreshing fails
or rests. What outlived a limit has disproved it; then the limit says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from django.db.models import F, Q

from confluence_link import atlassian
from confluence_link.models import Grant

if TYPE_CHECKING:
    from datetime import datetime

# From then on people are told.
SOON: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Limit:
    """`days` after the moment in the column `since`, for the grants of `where`."""

    name: Literal["absolute", "idle"]
    since: Literal["consented_at", "last_rotated_at"]
    days: int
    where: Q

    def ends_at(self, grant: Grant) -> datetime:
        began: datetime = getattr(grant, self.since)
        return began + timedelta(days=self.days)

    def ending(self, *, after: datetime, until: datetime) -> Q:
        """Those that it ends then; compares plain columns, so an index finds them."""
        life = timedelta(days=self.days)
        began = {f"{self.since}__gt": after - life, f"{self.since}__lte": until - life}
        return self.where & Q(**began)

    def not_told_since(self, *, days_ahead: int) -> Q:
        """No reminder was sent since so many days before this end."""
        then = F(self.since) + timedelta(days=self.days - days_ahead)
        return Q(reminded_at=None) | Q(reminded_at__lt=then)


@dataclass(frozen=True, slots=True)
class End:
    """Which limit ends a grant, and when."""

    at: datetime
    limit: Literal["absolute", "idle"]

    def is_soon(self, now: datetime) -> bool:
        return self.at <= now + SOON

    def days_left(self, now: datetime) -> int:
        """Whole days, rounded up: 1 on the last one."""
        return -((now - self.at) // timedelta(days=1))


def _limits() -> tuple[Limit, ...]:
    idle_days = atlassian.Deployment.idle_days
    failing = Q(status=Grant.Status.ACTIVE) & ~Q(last_error="")
    limits = [Limit("idle", "last_rotated_at", idle_days, failing)]
    for name, days in atlassian.absolute_days().items():
        where = Q(status=Grant.Status.ACTIVE, oauth_app__deployment=name)
        limits.append(Limit("absolute", "consented_at", days, where))
    return tuple(limits)


LIMITS: Final = _limits()


def end_of(grant: Grant, now: datetime) -> End | None:
    """The nearest end that is ahead. None: has ended, or nothing ends it by itself."""
    if grant.status not in {Grant.Status.ACTIVE, Grant.Status.PAUSED}:
        return None
    deployment = atlassian.deployment_for(grant.oauth_app)
    ends = []
    if deployment.absolute_days is not None:
        at = grant.consented_at + timedelta(days=deployment.absolute_days)
        ends.append(End(at, "absolute"))
    if grant.status == Grant.Status.PAUSED or grant.last_error:
        at = grant.last_rotated_at + timedelta(days=deployment.idle_days)
        ends.append(End(at, "idle"))
    ahead = [end for end in ends if end.at > now]
    return min(ahead, key=lambda end: end.at, default=None)


def ends_soon(now: datetime) -> Q:
    """Active grants that end within 30 days."""
    soon = Q()
    for limit in LIMITS:
        soon |= limit.ending(after=now, until=now + SOON)
    return soon
