"""A whole run: seed, let the parts take turns, find the figures, judge them."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from benchmarks import bare, hand_written, machine, results, seeding, whole_path
from benchmarks.parts import PARTS, REPEATED
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.bench import Bench
    from benchmarks.seeding import Population

GRANTS: Final = 120_000
LATENCY_SECONDS: Final = 0.15
SUSTAINED_SECONDS: Final = 60
# Fall due in each second: more than is asked for, less than breaks this machine.
ONE_PROCESS_PER_SECOND: Final = 450
TWO_PROCESSES_PER_SECOND: Final = 900


def run(bench: Bench, parts: Sequence[str], *, runs: int) -> int:
    """The exit status: 1 if a gate was missed."""
    began = time.monotonic()
    population = seeding.populate(OAuthApp.objects.get(), GRANTS)
    print(f"{GRANTS} grants were made in {time.monotonic() - began:.0f} s.")
    measure = _measures(bench, population)
    rounds = [
        {part: _tell(part, measure[part](number)) for part in REPEATED if part in parts}
        for number in range(runs)
    ]
    found = figures(rounds)
    print(f"\n{results.table(found)}\n")
    if set(parts) == set(PARTS):
        results.write(
            results.FILE,
            machine=machine.describe(bench),
            refresh=found | {"runs": [_plain(one) for one in rounds]},
        )
    for line in results.missed(found):
        print(line)
    return 1 if results.missed(found) else 0


def _tell(part: str, measured: Any) -> Any:
    print(f"{part}: {measured}", flush=True)
    return measured


def _plain(one: Mapping[str, Any]) -> dict[str, Any]:
    return {part: asdict(measured) for part, measured in one.items()}


def _measures(
    bench: Bench, population: Population
) -> Mapping[str, Callable[[int], Any]]:
    """Each gets the number of the run."""

    def ours(
        refreshes: int, latency_seconds: float = LATENCY_SECONDS, **more: Any
    ) -> whole_path.WholePath:
        return whole_path.measure(
            bench,
            population,
            refreshes=refreshes,
            latency_seconds=latency_seconds,
            **more,
        )

    def sustained(workers: int, per_second: int) -> whole_path.WholePath:
        return ours(
            per_second * SUSTAINED_SECONDS, workers=workers, per_second=per_second
        )

    return {
        "whole_path": lambda _: ours(10_000),
        "whole_path_at_0ms": lambda _: ours(10_000, 0.0),
        "bare_client": lambda number: bare.measure(
            bench,
            "client",
            exchanges=10_000,
            latency_seconds=LATENCY_SECONDS,
            run=number,
        ),
        "bare_requests": lambda number: bare.measure(
            bench,
            "requests",
            exchanges=4_000,
            latency_seconds=LATENCY_SECONDS,
            run=number,
        ),
        "task_per_token": lambda number: hand_written.measure(
            bench, refreshes=500, latency_seconds=LATENCY_SECONDS, run=number
        ),
        "one_process": lambda _: sustained(1, ONE_PROCESS_PER_SECOND),
        "two_processes": lambda _: sustained(2, TWO_PROCESSES_PER_SECOND),
    }


def figures(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Medians; a ratio is that of the two in the same round."""
    found: dict[str, float] = {}

    def add(name: str, part: str, value: Callable[[Any], float]) -> None:
        if part in rounds[0]:
            found[name] = results.middle(value(one[part]) for one in rounds)

    def add_ratio(name: str, part: str) -> None:
        if {part, "whole_path"} <= rounds[0].keys():
            found[name] = results.middle(
                one["whole_path"].per_cpu_second / one[part].per_cpu_second
                for one in rounds
            )

    add("cpu_ms", "whole_path", lambda one: one.cpu_ms)
    add_ratio("ratio_to_bare_client", "bare_client")
    add_ratio("ratio_to_bare_requests", "bare_requests")
    add_ratio("cpu_ratio_to_task_per_token", "task_per_token")
    add("rate_at_150ms", "one_process", lambda one: one.rate)
    add("rate_two_processes", "two_processes", lambda one: one.rate)
    add("cpu_ms_at_0ms", "whole_path_at_0ms", lambda one: one.cpu_ms)
    add("cpu_ms_sustained", "one_process", lambda one: one.cpu_ms)
    ours = [
        measured
        for one in rounds
        for measured in one.values()
        if isinstance(measured, whole_path.WholePath)
    ]
    if ours:
        found["expired"] = sum(one.expired for one in ours)
        found["refreshed_twice"] = sum(one.refreshed_twice for one in ours)
        found["peak_memory_mib"] = max(one.peak_memory_mib for one in ours)
    return found
