"""Which grants are due and when; and, afterwards, whether all went well.

What was planned is kept in a table of its own, `bench_due`, because a refresh writes
over the times that it is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from confluence_link.models import Grant, database_now

if TYPE_CHECKING:
    from datetime import datetime

    from benchmarks.seeding import Population

# Longer than a measurement, and shorter than until what it refreshed is due again.
SOON: Final = timedelta(minutes=30)

# A permutation: no table has as many rows as 7919, or a multiple of it.
_PLAN: Final = """
CREATE TABLE bench_due AS
SELECT 1 + (%(offset)s + n * %(stride)s) %% %(total)s AS grant_id,
       %(first_at)s
           + make_interval(secs => n * 7919 %% %(count)s / %(rate)s::float8) AS due_at,
       make_interval(secs => 300 + n * 31 %% 240) AS margin,
       make_interval(secs => n * 101 %% (6 * 86400)) AS unused
FROM generate_series(0::bigint, %(count)s - 1) AS n
"""
_NOTHING_IS_DUE: Final = """
UPDATE confluence_link_grant SET refresh_at = %(now)s + interval '1 day'
WHERE status = 'active' AND refresh_at < %(soon)s
"""
_THESE_ARE: Final = """
UPDATE confluence_link_grant AS g
SET refresh_at = due_at, expires_at = due_at + margin,
    last_rotated_at = due_at - interval '53 minutes', last_used_at = due_at - unused
FROM bench_due WHERE g.id = bench_due.grant_id
"""
_OUTCOME: Final = """
SELECT count(*) FILTER (WHERE g.refresh_at > %(soon)s),
       count(*) FILTER (WHERE g.refresh_at <= %(soon)s
                        OR g.last_rotated_at > due_at + margin),
       coalesce(max(extract(epoch FROM g.last_rotated_at - due_at)), 0)
FROM bench_due JOIN confluence_link_grant AS g ON g.id = bench_due.grant_id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`expired`: refreshed after the end of their access token, or not at all."""

    refreshed: int
    expired: int
    latest_seconds: float


def make_due(
    population: Population,
    count: int,
    *,
    first_at: datetime | None = None,
    per_second: float = 1e9,
    offset: int = 0,
) -> None:
    """Every so-manieth grant, in no order of their rows; nothing else will be due.

    Access tokens end 5 to 9 minutes later, as `refresh.schedule` plans it, and the
    last use was in the last six days.
    """
    now = database_now()
    values: dict[str, Any] = {
        "offset": offset,
        "stride": population.count // count,
        "total": population.count,
        "count": count,
        "first_at": first_at or now,
        "rate": per_second,
        "now": now,
        "soon": now + SOON,
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_due")
        cursor.execute(_NOTHING_IS_DUE, values)
        cursor.execute(_PLAN, values)
        cursor.execute("ALTER TABLE bench_due ADD PRIMARY KEY (grant_id)")
        cursor.execute(_THESE_ARE, values)


def settle() -> None:
    """What the database would do by itself, done before something is measured."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def is_anything_due() -> bool:
    """What is under way included."""
    due = Grant.objects.filter(
        status=Grant.Status.ACTIVE, refresh_at__lte=database_now()
    )
    return due.exists()


def outcome() -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOME, {"soon": database_now() + SOON})
        refreshed, expired, latest = cursor.fetchone()
    return Outcome(int(refreshed), int(expired), float(latest))
