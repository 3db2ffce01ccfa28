"""Runs `task_per_token` beside the same database, broker and endpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection
from django.utils import timezone

from benchmarks import due, tokens
from benchmarks.accounting import cpu_seconds
from benchmarks.processes import worker

# Django is set up for the product here; that module takes it as it is.
from benchmarks.task_per_token import Token, refresh_due

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.bench import Bench

# Processes, because each waits for one answer at a time.
PROCESSES: Final = 16
WARM_UP: Final = 100
GIVE_UP_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class HandWritten:
    """Per refresh, of all its processes; of starting them nothing counts."""

    refreshes: int
    rate: float
    cpu_ms: float
    cpu_ms_of: Mapping[str, float]


def measure(
    bench: Bench, *, refreshes: int, latency_seconds: float, run: int
) -> HandWritten:
    bench.endpoint.set_latency(latency_seconds)
    with worker(
        processes=PROCESSES,
        environment=_environment(bench),
        directory=bench.directory,
        app="benchmarks.task_per_token",
    ) as pid:
        families = {"worker": pid, **bench.servers}
        _prepare(WARM_UP, f"warm{run}")
        _refresh_all(bench, WARM_UP)
        _prepare(refreshes, f"token{run}")
        before = cpu_seconds(families)
        _refresh_all(bench, refreshes)
        after = cpu_seconds(families)
    spent = {name: 1000 * (after[name] - before[name]) / refreshes for name in after}
    return HandWritten(
        refreshes=refreshes,
        rate=bench.endpoint.answered().rate,
        cpu_ms=sum(spent.values()),
        cpu_ms_of=spent,
    )


def _environment(bench: Bench) -> Mapping[str, str]:
    """To its favour, twice.

    Its client trusts the endpoint's authority alone: reading the public roots for each
    request would cost it 20 ms more. And Celery, not knowing of Django, does not close
    the connection to the database after each task, which would cost 6 ms.
    """
    theirs = {**bench.environment, "REQUESTS_CA_BUNDLE": str(bench.endpoint.ca_file)}
    del theirs["DJANGO_SETTINGS_MODULE"]
    return theirs


def _prepare(count: int, subject: str) -> None:
    """So many tokens are due, and no other is there."""
    if Token._meta.db_table not in connection.introspection.table_names():
        with connection.schema_editor() as editor:
            editor.create_model(Token)
    Token.objects.all().delete()
    Token.objects.bulk_create(
        Token(
            subject=f"{subject}-{number}",
            access_token=tokens.access_token(f"{subject}-{number}", 1),
            refresh_token=tokens.refresh_token(f"{subject}-{number}", 1),
            expires_at=timezone.now() + timedelta(minutes=7),
        )
        for number in range(count)
    )
    due.settle()


def _refresh_all(bench: Bench, count: int) -> None:
    """Starts what finds them, and waits until every one is saved."""
    bench.endpoint.reset()
    refresh_due.delay()
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < give_up:
        time.sleep(0.25)
        if bench.endpoint.answered().exchanges >= count and not _waiting():
            return
    answered = bench.endpoint.answered()
    raise RuntimeError(f"not all tokens were refreshed: {answered}")


def _waiting() -> bool:
    soon = timezone.now() + timedelta(minutes=10)
    return Token.objects.filter(expires_at__lte=soon).exists()
