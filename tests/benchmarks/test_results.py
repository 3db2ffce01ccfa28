from __future__ import annotations

import json

import pytest

from benchmarks import results
from benchmarks.bare import Bare
from benchmarks.due_query import DueQuery
from benchmarks.figures import figures_of
from benchmarks.parts import REPEATED
from benchmarks.whole_path import WholePath

KEYS = {
    "cpu_ms",
    "ratio_to_bare_client",
    "ratio_to_bare_requests",
    "rate_at_150ms",
    "expired",
    "due_query_ratio",
    "cpu_ratio_to_task_per_token",
}


def ours(cpu_ms, **more):
    found = {
        "refreshes": 10,
        "rate": 350.0,
        "cpu_ms_of": {},
        "peak_memory_mib": 100.0,
        "expired": 0,
        "refreshed_twice": 0,
        "latest_seconds": 1.0,
        "most_at_once": 100,
    }
    return WholePath(cpu_ms=cpu_ms, **{**found, **more})


def a_round(cpu_ms=0.5, bare_ms=0.3):
    return {
        "whole_path": ours(cpu_ms),
        "bare_client": Bare(10, 600.0, bare_ms),
        "bare_requests": Bare(10, 600.0, 0.6),
        "task_per_token": Bare(10, 50.0, 8.0),
        "whole_path_at_0ms": ours(cpu_ms),
        "one_process": ours(cpu_ms),
        "two_processes": ours(cpu_ms, rate=700.0),
    }


ONCE = {"due_query": DueQuery(ms_at_10_000=10.0, ms_at_1_000_000=12.0)}


def test_a_run_of_everything_has_every_figure():
    figures = figures_of([a_round()], ONCE)

    assert set(a_round()) == set(REPEATED)
    assert figures.keys() >= KEYS | {gate.figure for gate in results.GATES}


def test_a_figure_is_the_median_of_the_runs():
    figures = figures_of([a_round(0.4), a_round(0.9), a_round(0.5)], {})

    assert figures["cpu_ms"] == 0.5


def test_a_part_that_had_one_turn_has_its_figures():
    later = a_round()
    del later["whole_path_at_0ms"]

    assert figures_of([a_round(0.4), later], {})["cpu_ms_at_0ms"] == 0.4


def test_a_ratio_is_of_two_in_the_same_round():
    rounds = [a_round(0.4, 0.2), a_round(0.8, 0.4), a_round(0.4, 0.4)]

    assert figures_of(rounds, {})["ratio_to_bare_client"] == 0.5


def test_a_loss_of_any_run_is_told():
    lossy = a_round() | {"two_processes": ours(0.5, expired=1, refreshed_twice=2)}

    figures = figures_of([a_round(), lossy], {})

    assert (figures["expired"], figures["refreshed_twice"]) == (1, 2)


def test_a_run_of_some_parts_has_their_figures_alone():
    figures = figures_of([{"bare_client": Bare(10, 600.0, 0.3)}], {})

    assert figures == {"cpu_ms_bare_client": 0.3}
    assert results.missed(figures) == []


@pytest.mark.parametrize(
    ("figure", "good", "bad"),
    [
        ("cpu_ms", 1.0, 1.01),
        ("ratio_to_bare_client", 0.5, 0.49),
        ("ratio_to_bare_requests", 1.01, 1.0),
        ("rate_at_150ms", 300, 299),
        ("rate_two_processes", 600, 599),
        ("expired", 0, 1),
        ("refreshed_twice", 0, 1),
        ("due_query_ratio", 1.5, 1.51),
        ("cpu_ratio_to_task_per_token", 10, 9.9),
    ],
)
def test_a_gate_is_where_it_was_promised(figure, good, bad):
    assert results.missed({figure: good}) == []
    (line,) = results.missed({figure: bad})
    assert line.startswith(f"{figure} is ")


def test_results_are_written_with_the_machine(tmp_path):
    file = tmp_path / "results.json"
    figures = figures_of([a_round()], ONCE)

    results.write(file, machine={"cores": 2}, refresh=figures)

    written = json.loads(file.read_text())
    assert written["machine"] == {"cores": 2}
    assert written["refresh"].keys() >= KEYS


def test_the_table_has_the_gates_beside_the_figures():
    lines = results.table({"cpu_ms": 0.5, "rate_all_at_once": 600}).splitlines()

    assert lines[0].split() == ["cpu_ms", "0.500", "at", "most", "1"]
    assert lines[1].split() == ["rate_all_at_once", "600.000"]
