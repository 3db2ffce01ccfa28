"""A run: the parts take turns, the figures are found and told, the gates judge."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from benchmarks import due_query, machine, results, seeding, stages
from benchmarks.bench import on_a_copy
from benchmarks.figures import figures_of, rounded
from benchmarks.parts import ALL, ONCE, ONE_TURN, REPEATED, Sizes
from benchmarks.turns import Turns
from confluence_link.models import OAuthApp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.bench import Bench

RUNS_TO_KEEP: Final = 3
_ONCE: Final[Mapping[str, Callable[[Bench], Any]]] = {
    "due_query": due_query.measure,
    "stages": stages.measure,
}


def run(bench: Bench, parts: Sequence[str], *, runs: int, sizes: Sizes) -> int:
    """The exit status: 1 if a gate was missed.

    Only a run of everything, in its usual size, is written to the file.
    """
    rounds = _rounds(bench, [part for part in REPEATED if part in parts], runs, sizes)
    once = {part: _tell(part, _ONCE[part](bench)) for part in ONCE if part in parts}
    figures = figures_of(rounds, once)
    if "stages" in once:
        print(f"\n{once['stages'].as_markdown()}")
    print(f"\n{results.table(figures)}\n")
    if set(parts) == set(ALL) and sizes == Sizes() and runs >= RUNS_TO_KEEP:
        results.write(
            results.FILE,
            machine=machine.describe(bench),
            refresh={
                **figures,
                "stages": _plain(once["stages"]),
                "runs": [{part: _plain(one[part]) for part in one} for one in rounds],
            },
        )
    missed = results.missed(figures)
    print("\n".join(missed))
    return 1 if missed else 0


def _rounds(
    bench: Bench, parts: Sequence[str], runs: int, sizes: Sizes
) -> list[dict[str, Any]]:
    """What each part found in each round, over one set of grants."""
    if not parts:
        return []
    with on_a_copy(bench, "main") as there:
        began = time.monotonic()
        population = seeding.populate(OAuthApp.objects.get(), sizes.grants)
        print(f"{sizes.grants} grants: made in {time.monotonic() - began:.0f} s")
        turns = Turns(there, population, sizes)
        return [
            {
                part: _tell(part, getattr(turns, part)(number))
                for part in parts
                if number == 0 or part not in ONE_TURN
            }
            for number in range(runs)
        ]


def _tell(part: str, measured: Any) -> Any:
    told = ", ".join(f"{name} {value}" for name, value in _plain(measured).items())
    print(f"{part}: {told}", flush=True)
    return measured


def _plain(measured: Any) -> dict[str, Any]:
    """Its fields, as JSON and people want them."""
    return {name: _short(value) for name, value in asdict(measured).items()}


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return rounded(value)
    if isinstance(value, dict):
        return {name: _short(one) for name, one in value.items()}
    return value
