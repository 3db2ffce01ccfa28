"""The program as it is run, in a small size."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from config.env import BASE_DIR
from config.run.servers import servers

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]


# A figure and its value.
TABLE = re.compile(r"^(\w+) +([0-9.]+)", re.MULTILINE)


def benchmarks(*arguments, environment):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def environment(monkeypatch):
    # One of its own, so that no test shares its messages.
    monkeypatch.delenv("REDIS_URL", raising=False)
    with servers() as names:
        for name, url in names.items():
            monkeypatch.setenv(name, url)
        yield None


def test_every_refresh_happens_once_and_in_time(environment):
    told = benchmarks(
        *("whole_path", "bare_client", "bare_requests", "task_per_token"),
        *("--runs", "1", "--size", "0.02"),
        environment=environment,
    )

    assert told.stderr == ""
    figures = dict(TABLE.findall(told.stdout))
    assert (figures["expired"], figures["refreshed_twice"]) == ("0.000", "0.000")
    assert float(figures["cpu_ms"]) > 0
    assert float(figures["cpu_ratio_to_task_per_token"]) > 0


def test_a_part_that_is_not_there_is_named(environment):
    told = benchmarks("whole_paths", environment=environment)

    assert told.returncode == 2
    assert "no such part: whole_paths" in told.stderr
