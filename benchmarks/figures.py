"""From what was measured to the figures of `results.json`."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

from benchmarks.whole_path import WholePath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Figure, part, and what of it; the median of all runs.
_MEDIANS: Final = (
    ("cpu_ms", "whole_path", "cpu_ms"),
    ("cpu_ms_at_0ms", "whole_path_at_0ms", "cpu_ms"),
    ("cpu_ms_sustained", "one_process", "cpu_ms"),
    ("cpu_ms_bare_client", "bare_client", "cpu_ms"),
    ("cpu_ms_bare_requests", "bare_requests", "cpu_ms"),
    ("cpu_ms_task_per_token", "task_per_token", "cpu_ms"),
    ("rate_all_at_once", "whole_path", "rate"),
    ("rate_at_150ms", "one_process", "rate"),
    ("rate_two_processes", "two_processes", "rate"),
)
# Refreshes per CPU second of the whole path to those of a part in the same round.
_RATIOS: Final = (
    ("ratio_to_bare_client", "bare_client"),
    ("ratio_to_bare_requests", "bare_requests"),
    ("cpu_ratio_to_task_per_token", "task_per_token"),
)


def figures_of(
    rounds: Sequence[Mapping[str, Any]], once: Mapping[str, Any]
) -> dict[str, float]:
    """Those that can be found from the parts that there are."""
    found = _medians(rounds) | _ratios(rounds) | _losses(rounds)
    if "due_query" in once:
        due = once["due_query"]
        found |= {
            "due_query_ratio": due.ratio,
            "due_query_ms_at_10_000": due.ms_at_10_000,
            "due_query_ms_at_1_000_000": due.ms_at_1_000_000,
        }
    return {name: rounded(value) for name, value in found.items()}


def _medians(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        figure: median(getattr(one[part], attribute) for one in rounds if part in one)
        for figure, part, attribute in _MEDIANS
        if rounds and part in rounds[0]
    }


def _ratios(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    return {
        figure: median(one[part].cpu_ms / one["whole_path"].cpu_ms for one in rounds)
        for figure, part in _RATIOS
        if rounds and {part, "whole_path"} <= rounds[0].keys()
    }


def _losses(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of all runs of ours together; and the most memory that one needed."""
    ours = [
        measured
        for one in rounds
        for measured in one.values()
        if isinstance(measured, WholePath)
    ]
    if not ours:
        return {}
    return {
        "expired": sum(one.expired for one in ours),
        "refreshed_twice": sum(one.refreshed_twice for one in ours),
        "peak_memory_mib": max(one.peak_memory_mib for one in ours),
    }


def rounded(value: float) -> float:
    """To the digits that can be believed."""
    return float(f"{value:.4g}")
