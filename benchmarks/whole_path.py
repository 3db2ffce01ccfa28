"""The whole path: beat, broker, worker, lease, open, exchange, seal, store."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from benchmarks import due
from benchmarks.accounting import cpu_seconds, peak_memory
from benchmarks.processes import beat, worker
from config.celery_app import app
from confluence_link.models import database_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.bench import Bench
    from benchmarks.seeding import Population

WARM_UP: Final = 500
GIVE_UP_SECONDS: Final = 180
# From making a plan until beat asks for the first time, on a machine at rest.
PREPARE_SECONDS: Final = 8


@dataclass(frozen=True, slots=True)
class WholePath:
    """Costs are per refresh, of all our processes; of starting them nothing counts."""

    refreshes: int
    rate: float
    cpu_ms: float
    cpu_ms_of: Mapping[str, float]
    peak_memory_mib: float
    expired: int
    refreshed_twice: int
    latest_seconds: float
    most_at_once: int


def measure(
    bench: Bench,
    population: Population,
    *,
    refreshes: int,
    latency_seconds: float,
    processes: int = 1,
    per_second: float = 1e9,
) -> WholePath:
    """So many grants fall due, all at once or at a rate; until the last is stored."""
    environment, directory = bench.environment, bench.directory
    bench.endpoint.set_latency(latency_seconds)
    with worker(
        processes=processes, environment=environment, directory=directory
    ) as worker_pid:
        _warm_up(bench, population, batches=processes)
        first_at = database_now() + timedelta(seconds=PREPARE_SECONDS)
        due.make_due(population, refreshes, first_at=first_at, per_second=per_second)
        due.settle()
        bench.endpoint.reset()
        # Nothing is found before beat asks for it.
        with beat(environment=environment, directory=directory) as beat_pid:
            families = {"worker": worker_pid, "beat": beat_pid, **bench.servers}
            before = cpu_seconds(families)
            with peak_memory(families) as memory:
                _wait(bench, refreshes, refreshes / per_second)
            after = cpu_seconds(families)
    answered, outcome = bench.endpoint.answered(), due.outcome()
    spent = {name: 1000 * (after[name] - before[name]) / refreshes for name in after}
    return WholePath(
        refreshes=outcome.refreshed,
        rate=answered.rate,
        cpu_ms=sum(spent.values()),
        cpu_ms_of=spent,
        peak_memory_mib=memory.mib,
        expired=outcome.expired,
        # Each was to be exchanged once, by its current token.
        refreshed_twice=answered.exchanges
        + answered.reused
        + answered.unknown
        - refreshes,
        latest_seconds=outcome.latest_seconds,
        most_at_once=answered.most_at_once,
    )


def _warm_up(bench: Bench, population: Population, *, batches: int) -> None:
    """Every process has its connections and has read its code."""
    bench.endpoint.reset()
    due.make_due(population, WARM_UP * batches, offset=1)
    app.send_task("confluence_link.tasks.sweep")
    _wait(bench, WARM_UP * batches, 0)


def _wait(bench: Bench, refreshes: int, seconds: float) -> None:
    """Until so many were answered and stored.

    The endpoint is asked often; the database, whose time counts, hardly ever.
    """
    give_up = time.monotonic() + seconds + GIVE_UP_SECONDS
    _until(lambda: bench.endpoint.answered().exchanges >= refreshes, give_up)
    _until(lambda: not due.is_anything_due(), give_up)


def _until(is_over: Callable[[], bool], give_up: float) -> None:
    while not is_over():
        if time.monotonic() > give_up:
            raise RuntimeError(f"not all was done that was due: {due.outcome()}")
        time.sleep(0.5)
