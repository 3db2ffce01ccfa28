"""What each stage of a refresh costs, measured one after the other in this process.

The client's CPU is that of this process with all its threads; PostgreSQL's is that of
the process that serves it. What its other processes do meanwhile, and what is written
back and cleaned up afterwards, has a row of its own. In the whole path the stages also
wait for each other, which costs a little more.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from benchmarks import due, seeding
from benchmarks.accounting import cpu_seconds, family_cpu_seconds, process_cpu_seconds
from benchmarks.bench import on_a_copy
from benchmarks.parts import LATENCY_SECONDS
from benchmarks.processes import beat, worker
from config.celery_app import app
from confluence_link import refresh, tallies, vault
from confluence_link.http import Deadline
from confluence_link.models import OAuthApp, database_now
from confluence_link.refresh import claim, pace
from confluence_link.refresh.exchange import exchange_all
from confluence_link.refresh.together import store_together
from confluence_link.tokens import TokenSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bench import Bench
    from confluence_link.refresh.claim import Leased

GRANTS: Final = 10_000
REFRESHES: Final = 5_000
BATCH: Final = 500
MESSAGES: Final = 200
BEGIN_SECONDS: Final = 30
STAGES: Final = (
    ("messages", "Beat, broker, Celery: one message for 500"),
    ("sweep", "Find what is due, hand it out"),
    ("lease", "Turn and lease, 500 in one statement"),
    ("open", "Open the refresh token"),
    ("exchange", "Exchange: TLS, HTTP, JSON, 100 at once"),
    ("seal", "Seal two tokens"),
    ("store", "Store, up to 10 in one statement"),
    ("tally", "Count for the charts"),
    ("afterwards", "PostgreSQL's other processes; checkpoint and vacuum"),
)


@dataclass(frozen=True, slots=True)
class Stages:
    """CPU per refresh in milliseconds, by the names of `STAGES`."""

    ours_ms: Mapping[str, float]
    postgresql_ms: Mapping[str, float]

    def as_markdown(self) -> str:
        rows = [
            f"| {words} | {self.ours_ms[name]:.3f} | {self.postgresql_ms[name]:.3f} |"
            for name, words in STAGES
        ]
        ours, theirs = sum(self.ours_ms.values()), sum(self.postgresql_ms.values())
        return "\n".join(
            [
                "| stage | client ms | PostgreSQL ms |",
                "|---|---|---|",
                *rows,
                f"| sum | {ours:.3f} | {theirs:.3f} |",
            ]
        )


class Meter:
    """What was spent in the blocks of each name."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self._backend: int = connection.connection.info.backend_pid
        self.ours: dict[str, float] = defaultdict(float)
        self.postgresql: dict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        ours, theirs = time.process_time(), process_cpu_seconds(self._backend)
        yield
        self.ours[stage] += time.process_time() - ours
        self.postgresql[stage] += process_cpu_seconds(self._backend) - theirs

    def found(self) -> Stages:
        # Sealing was done twice: by itself, and with what was stored.
        self.ours["store"] -= self.ours["seal"]
        return Stages(
            {name: 1000 * self.ours[name] / REFRESHES for name, _ in STAGES},
            {name: 1000 * self.postgresql[name] / REFRESHES for name, _ in STAGES},
        )


def measure(bench: Bench) -> Stages:
    with on_a_copy(bench, "stages") as there:
        population = seeding.populate(OAuthApp.objects.get(), GRANTS)
        there.endpoint.set_latency(LATENCY_SECONDS)
        meter = Meter()
        # The first round warms everything up, and is not counted.
        for each in (Meter(), meter):
            due.make_due(population, REFRESHES)
            due.settle()
            before = family_cpu_seconds(there.servers["postgresql"])
            _refresh_all(each)
            due.settle()
        after = family_cpu_seconds(there.servers["postgresql"])
        served = sum(meter.postgresql.values())
        meter.postgresql["afterwards"] = after - before - served
        _count_messages(there, meter)
    return meter.found()


def _refresh_all(meter: Meter) -> None:
    batches: list[list[int]] = []
    with meter("sweep"):
        refresh.sweep(enqueue=batches.append)
    ids = [one for batch in batches for one in batch]
    if len(ids) != REFRESHES:
        raise RuntimeError(f"{len(ids)} of {REFRESHES} were handed out")
    for start in range(0, len(ids), BATCH):
        _refresh(meter, ids[start : start + BATCH])


def _refresh(meter: Meter, ids: list[int]) -> None:
    """As `refresh.refresh_batch` does it, but for one stage after the other."""
    with meter("lease"):
        for app_id, number in claim.count_due(ids).items():
            pace.reserve(oauth_app_id=app_id, number=number, now=database_now())
        lease_id, grants = claim.lease_due(ids)
    with meter("open"):
        endpoint = claim.endpoint_of(grants[0].oauth_app)
        leased = [claim.open_leased(grant, lease_id, endpoint) for grant in grants]
    with meter("exchange"):
        came = list(exchange_all(leased, begin_until=Deadline(BEGIN_SECONDS)))
    together = [
        [(one, found) for one, found in results if isinstance(found, TokenSet)]
        for results in came
    ]
    with meter("seal"):
        for answers in together:
            _seal(answers)
    with meter("store"):
        stored = [store_together(lease_id, answers) for answers in together]
    with meter("tally"):
        tallies.count_refreshed([one for some in stored for one in some])


def _seal(answers: list[tuple[Leased, TokenSet]]) -> None:
    for leased, found in answers:
        vault.seal_access(leased.grant, found.access_token)
        vault.seal_refresh(leased.grant, found.refresh_token or "")


def _count_messages(bench: Bench, meter: Meter) -> None:
    """Batches without a grant in them, as if each had been for 500."""
    log = bench.directory / "worker.log"
    environment, directory = bench.environment, bench.directory
    with (
        worker(processes=1, environment=environment, directory=directory) as worker_pid,
        beat(environment=environment, directory=directory) as beat_pid,
    ):
        families = {
            "worker": worker_pid,
            "beat": beat_pid,
            "broker": bench.servers["broker"],
        }
        for number in (1, MESSAGES):
            before, told = cpu_seconds(families), log.read_text().count("asked=0")
            for _ in range(number):
                app.send_task(
                    "confluence_link.tasks.refresh_batch", args=([],), queue="cloud"
                )
            while log.read_text().count("asked=0") < told + number:
                time.sleep(0.1)
        spent = sum(cpu_seconds(families).values()) - sum(before.values())
    meter.ours["messages"] = spent * REFRESHES / (MESSAGES * BATCH)
