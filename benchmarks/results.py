"""What a run found: medians, the gates of the issue, a table, `results.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Gate:
    """What a figure must be."""

    figure: str
    must_be: Literal["at most", "at least", "more than"]
    limit: float

    def holds(self, value: float) -> bool:
        if self.must_be == "at most":
            return value <= self.limit
        return value > self.limit or (
            self.must_be == "at least" and value == self.limit
        )

    def __str__(self) -> str:
        return f"{self.must_be} {self.limit:g}"


GATES: Final = (
    Gate("cpu_ms", "at most", 1.0),
    Gate("ratio_to_bare_client", "at least", 0.5),
    Gate("ratio_to_bare_requests", "more than", 1.0),
    Gate("cpu_ratio_to_task_per_token", "at least", 10.0),
    Gate("rate_at_150ms", "at least", 300.0),
    Gate("rate_two_processes", "at least", 600.0),
    Gate("expired", "at most", 0.0),
    Gate("refreshed_twice", "at most", 0.0),
    Gate("due_query_ratio", "at most", 1.5),
)


def missed(figures: Mapping[str, float]) -> list[str]:
    """A line for each gate that does not hold, among the figures that there are."""
    return [
        f"{gate.figure} is {figures[gate.figure]:.3g}; it must be {gate}."
        for gate in GATES
        if gate.figure in figures and not gate.holds(figures[gate.figure])
    ]


def table(figures: Mapping[str, float]) -> str:
    gates = {gate.figure: gate for gate in GATES}
    width = max((len(name) for name in figures), default=0)
    return "\n".join(
        f"{name:{width}}  {value:>10.3f}  {gates.get(name, '')}".rstrip()
        for name, value in figures.items()
    )


def write(
    file: Path, *, machine: Mapping[str, Any], refresh: Mapping[str, Any]
) -> None:
    text = json.dumps({"machine": machine, "refresh": refresh}, indent=2)
    file.write_text(text + "\n")
