"""What one sweep costs the database, and how it finds what is due.

`refresh.sweep` runs as it is; its statements about grants are timed, or explained.
Nothing here knows how the engine asks.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction
from django.test import override_settings

from benchmarks import seeding
from benchmarks.bench import connect_to, on_a_copy
from confluence_link import refresh
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.bench import Bench

PLANS: Final = Path(__file__).parent / "plans"
TINY, SMALL, LARGE = 1_000, 10_000, 1_000_000
# The same number of both, spread over the whole table.
DUE: Final = 5_000
# The defaults: more is due than they allow only in the table of the fair share.
AS_IN_PRODUCTION: Final = {
    "CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND": 300,
    "CONFLUENCE_LINK_SWEEP_SECONDS": 30,
}
LONGEST_LINE: Final = 1_500
TURNS: Final = 5
SWEEPS_IN_A_TURN: Final = 3
# An eighth is due of 800,000 grants of one organization, and of 80 of each other.
UNFAIR_BASE, UNFAIR_TIMES, UNFAIR_DUE_EVERY = 9_600, 100, 8
OF_THE_FIRST, OF_EACH_OTHER = 8_000, 80


@dataclass(frozen=True, slots=True)
class DueQuery:
    """Medians of one sweep's statements about grants; nobody else is there."""

    ms_at_10_000: float
    ms_at_1_000_000: float

    @property
    def ratio(self) -> float:
        return self.ms_at_1_000_000 / self.ms_at_10_000


@override_settings(**AS_IN_PRODUCTION)
def measure(bench: Bench) -> DueQuery:
    """The two tables take turns; afterwards the plans are written.

    The larger table takes a minute to be made.
    """
    found: dict[str, list[float]] = {"small": [], "large": []}
    with ExitStack() as stack:
        small = stack.enter_context(on_a_copy(bench, "small"))
        _fill(SMALL)
        large = stack.enter_context(on_a_copy(bench, "large"))
        _fill(LARGE)
        for _ in range(TURNS):
            for name, there in (("small", small), ("large", large)):
                connect_to(there)
                found[name] += _timed_sweeps()
        _write_plan(f"due_{LARGE}")
    _write_other_plans(bench)
    return DueQuery(median(found["small"]), median(found["large"]))


def _fill(count: int) -> None:
    app = OAuthApp.objects.get()
    base = min(count, SMALL)
    seeding.make_grants(app, base, due_every=max(2, count // DUE))
    if count > base:
        seeding.multiply(base, times=count // base)


def _timed_sweeps() -> list[float]:
    """Milliseconds. The first one, on a new connection, is not counted."""
    return [_timed_sweep() for _ in range(SWEEPS_IN_A_TURN + 1)][1:]


def _timed_sweep() -> float:
    watch = Watch()
    with connection.execute_wrapper(watch):
        found = sweep()
    if found == 0:
        raise RuntimeError("the sweep found nothing")
    forget_sweep()
    return 1000 * watch.seconds


def sweep() -> int:
    """Hands everything to nobody."""
    return refresh.sweep(enqueue=lambda *_, **__: None)


def forget_sweep() -> None:
    """All is as before, but for the order of the rows that were found."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE confluence_link_grant SET queued_until = NULL"
            " WHERE queued_until IS NOT NULL"
        )
        cursor.execute("VACUUM confluence_link_grant")


@dataclass
class Watch:
    """Around each statement: how long those about grants took."""

    seconds: float = 0.0

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: Any,
    ) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if _is_about_grants(sql):
                self.seconds += time.perf_counter() - began


def _is_about_grants(sql: str) -> bool:
    return "confluence_link_grant" in sql


# Plans, for the documents
# ------------------------------------------------------------------------------
def _write_other_plans(bench: Bench) -> None:
    with on_a_copy(bench, "tiny"):
        _fill(TINY)
        _write_plan(f"due_{TINY}")
    with on_a_copy(bench, "unfair"):
        seeding.make_grants(
            OAuthApp.objects.get(),
            UNFAIR_BASE,
            organization_of=organization_of,
            due_every=UNFAIR_DUE_EVERY,
        )
        seeding.multiply(UNFAIR_BASE, times=UNFAIR_TIMES, first_grows=True)
        _write_plan("fair_share")


def organization_of(number: int) -> int:
    """100,000 due grants of one, and 10 of each of 2,000 others."""
    return max(1, 2 + (number - OF_THE_FIRST - 1) // OF_EACH_OTHER)


def _write_plan(name: str) -> None:
    """Every statement of a sweep about grants, with how it was executed."""
    # Twice: what is explained has read its tables before.
    sweep()
    forget_sweep()
    explained = Explained()
    with connection.execute_wrapper(explained):
        sweep()
    PLANS.mkdir(exist_ok=True)
    (PLANS / f"{name}.txt").write_text("\n\n".join(explained.plans) + "\n")


@dataclass
class Explained:
    """Around each statement: the plan of those about grants, as it was executed."""

    plans: list[str] = field(default_factory=list)
    _busy: bool = False

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: Any,
    ) -> Any:
        if _is_about_grants(sql) and not self._busy:
            self._busy = True
            self.plans.append(_plan(sql, params))
            self._busy = False
        return execute(sql, params, many, context)


def _plan(statement: str, params: Any) -> str:
    """Executed, and taken back."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", params)
        lines = [line for (line,) in cursor.fetchall()]
        transaction.set_rollback(True)
    # A list of ids is as long as the sweep was.
    return "\n".join(line[:LONGEST_LINE] for line in [statement, "", *lines])
