"""The parts that take turns, each under its name in `parts.REPEATED`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import bare, hand_written, whole_path
from benchmarks.parts import LATENCY_SECONDS

if TYPE_CHECKING:
    from benchmarks.bare import Bare
    from benchmarks.bench import Bench
    from benchmarks.hand_written import HandWritten
    from benchmarks.parts import Sizes
    from benchmarks.seeding import Population
    from benchmarks.whole_path import WholePath


@dataclass(frozen=True, slots=True)
class Turns:
    """Each method gets the number of the run, and measures once."""

    bench: Bench
    population: Population
    sizes: Sizes

    def whole_path(self, run: int) -> WholePath:
        return self._all_at_once(LATENCY_SECONDS)

    def whole_path_at_0ms(self, run: int) -> WholePath:
        return self._all_at_once(0.0)

    def one_process(self, run: int) -> WholePath:
        return self._sustained(1, self.sizes.one_process_per_second)

    def two_processes(self, run: int) -> WholePath:
        return self._sustained(2, self.sizes.two_processes_per_second)

    def bare_client(self, run: int) -> Bare:
        return bare.measure(
            self.bench,
            "client",
            exchanges=self.sizes.bare_client,
            latency_seconds=LATENCY_SECONDS,
            run=run,
        )

    def bare_requests(self, run: int) -> Bare:
        return bare.measure(
            self.bench,
            "requests",
            exchanges=self.sizes.bare_requests,
            latency_seconds=LATENCY_SECONDS,
            run=run,
        )

    def task_per_token(self, run: int) -> HandWritten:
        return hand_written.measure(
            self.bench,
            refreshes=self.sizes.task_per_token,
            latency_seconds=LATENCY_SECONDS,
            run=run,
        )

    def _all_at_once(self, latency_seconds: float) -> WholePath:
        return whole_path.measure(
            self.bench,
            self.population,
            refreshes=self.sizes.whole_path,
            latency_seconds=latency_seconds,
        )

    def _sustained(self, processes: int, per_second: int) -> WholePath:
        return whole_path.measure(
            self.bench,
            self.population,
            refreshes=per_second * self.sizes.sustained_seconds,
            latency_seconds=LATENCY_SECONDS,
            processes=processes,
            per_second=per_second,
        )
