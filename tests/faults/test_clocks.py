"""The clocks of the processes are wrong, or jump; the database's decides (F12)."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from config.run import programs
from tests.faults.stage import assert_sound, until
from tests.sandbox_process import PARTS

# Long: `make test-faults` runs them.
pytestmark = [pytest.mark.processes, pytest.mark.faults]

TEN_MINUTES, HOUR = 600, 3600
LIFE = timedelta(hours=1)


@contextmanager
def environment(stage, **variables):
    """Of the processes that are started meanwhile; they end with it."""
    stage.end_workers()
    before = dict(stage.made.environment)
    stage.made.environment.update(variables)
    try:
        yield
    finally:
        stage.made.environment.clear()
        stage.made.environment.update(before)
        stage.end_workers()
        stage.end_beat()


def assert_refreshed_in_time(stage):
    """Once, and planned from the database's clock."""
    for part in PARTS:
        stage.until_generation(part, 2)
    stage.until_quiet()
    for _ in range(2):
        stage.tick()
        stage.until_quiet()
    for part in PARTS:
        assert stage.exchanges(part) == 1
        row = stage.row(part)
        moment = {
            name: datetime.fromisoformat(row[name])
            for name in ("now", "refresh_at", "expires_at")
        }
        left = moment["expires_at"] - moment["now"]
        assert LIFE - timedelta(minutes=2) < left <= LIFE
        before = moment["expires_at"] - moment["refresh_at"]
        assert timedelta(minutes=4) < before < timedelta(minutes=10)
    assert_sound(stage)


@pytest.mark.parametrize("ahead", [TEN_MINUTES, -TEN_MINUTES, HOUR, -HOUR])
def test_f12_a_worker_s_clock_is_wrong(stage, ahead):
    with environment(stage, CLOCK_AHEAD_SECONDS=str(ahead)):
        stage.worker()
        stage.sweep()
        assert_refreshed_in_time(stage)


@pytest.mark.parametrize("ahead", [TEN_MINUTES, -TEN_MINUTES, HOUR, -HOUR])
def test_f12_beat_s_clock_is_wrong(stage, ahead):
    """The worker's is right."""
    wrong = {"CLOCK_AHEAD_SECONDS": str(ahead), "CONFLUENCE_LINK_SWEEP_SECONDS": "1"}
    with environment(stage, **wrong):
        stage.beat()
        for name in wrong:
            del stage.made.environment[name]
        stage.worker()
        stage.inside("make_due", list(stage.grants.values()))
        assert_refreshed_in_time(stage)


def test_f12_beat_s_clock_was_ahead_until_its_restart(stage):
    """The file in which it keeps its schedule says that all was sent in an hour."""
    wrong = {"CLOCK_AHEAD_SECONDS": str(HOUR), "CONFLUENCE_LINK_SWEEP_SECONDS": "1"}
    with environment(stage, **wrong):
        name = stage.beat()
        stage.worker()
        before = stage.logged("sweep found")
        until(lambda: stage.logged("sweep found") > before)
        stage.made.end(name)
        del stage.made.environment["CLOCK_AHEAD_SECONDS"]
        stage.made.start(name, programs.beat(stage.made.directory / name))
        stage.inside("make_due", list(stage.grants.values()))
        assert_refreshed_in_time(stage)
    assert "the clock was set back" in stage.made.log(name)


@pytest.mark.parametrize("step", ["clock on", "clock back"])
@pytest.mark.parametrize("point", ["leased", "answered", "stored"])
def test_f12_a_worker_s_clock_jumps_during_a_refresh(stage, point, step):
    with environment(stage):
        stage.worker()
        stage.points.at(point, step)
        stage.sweep()
        assert_refreshed_in_time(stage)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/St_Johns"])
def test_f12_processes_in_another_time_zone(stage, zone):
    """Of which one has summer time as well."""
    with environment(stage, TZ=zone):
        stage.worker()
        stage.sweep()
        assert_refreshed_in_time(stage)
