"""Charts as plain SVG shapes, so that no page needs a script or an inline style."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Count
from django.db.models.functions import TruncHour

from confluence_link.models import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

HOURS: Final = 24
# The drawing's units; the style sheets scale it.
CHART_HEIGHT: Final = 100
BAR_STEP: Final = 20
BAR_WIDTH: Final = 14
STRIP_WIDTH: Final = 1000
# One site among ten thousand is still to be seen.
LEAST_WIDTH: Final = 12
GAP: Final = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: what succeeded stands below, what failed on top."""

    x: int
    refreshed_y: float
    refreshed_height: float
    failed_y: float
    failed_height: float
    title: str


@dataclass(frozen=True, slots=True)
class RefreshChart:
    """The last day, hour by hour; the last bar is the present hour."""

    bars: list[Bar]
    refreshed: int
    failed: int
    width: int = HOURS * BAR_STEP
    height: int = CHART_HEIGHT
    bar_width: int = BAR_WIDTH


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole, as a piece of a strip."""

    name: str
    count: int
    x: float
    width: float


def hours_of_last_day(now: datetime) -> list[datetime]:
    """Where each hour of the chart begins; the last one is the present hour."""
    last_hour = now.replace(minute=0, second=0, microsecond=0)
    return [last_hour - timedelta(hours=back) for back in reversed(range(HOURS))]


def refreshes(
    hours: Sequence[datetime],
    refreshed: Mapping[datetime, int],
    events: QuerySet[Event],
) -> RefreshChart:
    """What the tallies count as refreshed, and the failures among these events."""
    failed = _failures_by_hour(events, hours[0])
    pairs = [(refreshed.get(hour, 0), failed.get(hour, 0)) for hour in hours]
    most = max(map(sum, pairs))
    return RefreshChart(
        bars=[
            _bar(place, at, *pair, most)
            for place, (at, pair) in enumerate(zip(hours, pairs, strict=True))
        ],
        refreshed=sum(pair[0] for pair in pairs),
        failed=sum(pair[1] for pair in pairs),
    )


def _failures_by_hour(events: QuerySet[Event], since: datetime) -> dict[datetime, int]:
    rows = (
        events.filter(kind=Event.Kind.REFRESH_FAILED, at__gte=since)
        .order_by()
        .annotate(hour=TruncHour("at"))
        .values_list("hour")
        .annotate(count=Count("pk"))
    )
    return dict(rows)


def _bar(place: int, at: datetime, refreshed: int, failed: int, most: int) -> Bar:
    unit = CHART_HEIGHT / max(most, 1)
    refreshed_y = CHART_HEIGHT - refreshed * unit
    return Bar(
        x=place * BAR_STEP,
        refreshed_y=round(refreshed_y, 2),
        refreshed_height=round(refreshed * unit, 2),
        failed_y=round(refreshed_y - failed * unit, 2),
        failed_height=round(failed * unit, 2),
        title=f"{at:%H:%M} UTC: {refreshed} refreshed, {failed} failed",
    )


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Those that are not empty, side by side in the mapping's order."""
    present = {name: count for name, count in counts.items() if count}
    room = STRIP_WIDTH - GAP * (len(present) - 1) - LEAST_WIDTH * len(present)
    total = sum(present.values())
    pieces, x = [], 0.0
    for name, count in present.items():
        width = LEAST_WIDTH + room * count / total
        pieces.append(Share(name, count, round(x, 2), round(width, 2)))
        x += width + GAP
    return pieces
