"""On SQLite the same holds: two processes, a busy file, a power cut (F28)."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.faults.stage import assert_sound, staged
from tests.sandbox_process import PARTS

# Long: `make test-faults` runs them.
pytestmark = [pytest.mark.processes, pytest.mark.faults]

each_part = pytest.mark.parametrize("part", PARTS)


@pytest.fixture(scope="module")
def lite_stage(tmp_path_factory):
    with staged(tmp_path_factory.mktemp("stage"), database="sqlite") as made:
        yield made


@pytest.fixture
def stage(lite_stage):
    lite_stage.begin_anew()
    return lite_stage


@pytest.fixture
def writer(stage):
    """Another process that may hold the file."""
    path = stage.made.directory / "db.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("step", "part", "exchanges"),
    [
        ("leased", "cloud", 1),
        ("leased", "data-center", 1),
        ("answered", "cloud", 2),
        ("stored", "cloud", 1),
        ("stored", "data-center", 1),
    ],
)
def test_f28_after_a_power_cut_another_worker_goes_on(stage, step, part, exchanges):
    stage.kill_at(step, part)
    stage.worker()
    stage.lease_ends()
    stage.tick()

    stage.until_generation(part, 2)
    stage.until_quiet()
    assert stage.exchanges(part) == exchanges
    assert_sound(stage)


def test_f28_two_processes_refresh_each_grant_once(stage):
    ids = stage.link_many(30)
    stage.worker()
    stage.another_worker("prefork")
    stage.inside("make_due", ids)
    for _ in range(10):
        stage.inside("ask", ids)
        stage.tick()

    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    assert stage.exchanges("cloud") == len(ids)
    assert_sound(stage)


@each_part
def test_f28_a_busy_file_is_waited_for(stage, writer, part):
    stage.worker()
    stage.points.at("answered", "hold")
    stage.sweep(part)
    stage.until_reached("answered")
    writer.execute("BEGIN IMMEDIATE")
    stage.points.go_on("answered")
    assert stage.row(part)["generation"] == 1
    writer.execute("ROLLBACK")

    stage.until_generation(part, 2)
    stage.until_quiet()
    assert stage.exchanges(part) == 1
    assert_sound(stage)


# As long as SQLite is told to wait for another writer.
@pytest.mark.faults
@each_part
def test_f28_when_it_stays_busy_the_answer_is_in_the_spool(stage, writer, part):
    """And there it is found if the process does not live to see the end of it."""
    name = stage.worker()
    stage.points.at("answered", "hold")
    stage.points.at("spooled", "hold")
    stage.sweep(part)
    stage.until_reached("answered")
    writer.execute("BEGIN IMMEDIATE")
    stage.points.go_on("answered")
    stage.until_reached("spooled")
    stage.made.kill(name)
    writer.execute("ROLLBACK")

    stage.worker()
    stage.lease_ends()
    stage.tick()
    stage.until_generation(part, 2)
    assert stage.exchanges(part) == 1
    assert_sound(stage)


def test_f28_readers_and_writers_do_not_shut_each_other_out(stage, writer):
    (mode,) = writer.execute("PRAGMA journal_mode").fetchone()

    assert mode == "wal"
