"""The database says no in the middle: locks, deadlocks, no space (F23, F24)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.databases import connect
from tests.faults.stage import assert_sound, until
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

GRANT = "SELECT 1 FROM confluence_link_grant WHERE id = %s FOR UPDATE"
SEALED = "SELECT 1 FROM confluence_link_sealedtokenset WHERE grant_id = %s FOR UPDATE"
USED = "UPDATE confluence_link_grant SET last_used_at = now() WHERE id = %s"
WAITING = """SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
# Before anything is sent, and with the answer in hand.
MOMENTS = ("intent", "store")


@pytest.fixture
def database(stage):
    """A connection that looks."""
    with connect(stage.made.environment["DATABASE_URL"]) as connection:
        yield connection


@pytest.fixture
def other(stage):
    """Somebody else's transaction; the last one that a deadlock ends."""
    with connect(stage.made.environment["DATABASE_URL"]) as connection:
        connection.execute("SET deadlock_timeout = '1min'")
        connection.autocommit = False
        yield connection


@pytest.fixture
def setting(stage):
    """What holds in the database for whoever connects from now on."""
    names = []

    def change(name, value):
        names.append(name)
        stage.set_in_database(name, value)
        stage.end_workers()

    yield change
    for name in names:
        stage.set_in_database(name, "DEFAULT")
    stage.end_workers()


class Refreshing:
    """A refresh that meets, at its moment, what another transaction holds."""

    def __init__(self, stage, database, moment):
        self.stage, self.database, self.moment = stage, database, moment
        self.ids = [stage.grants["cloud"], *stage.link_many(1)]

    def begin(self):
        self.stage.worker()
        self.stage.inside("make_due", self.ids)
        if self.moment == "store":
            self.stage.points.at("answered", "hold")
            self._send()
            self.stage.until_reached("answered")

    def meet(self):
        """Until it waits for the other one."""
        if self.moment == "intent":
            self._send()
        self.stage.points.go_on("answered")
        until(lambda: self.database.execute(WAITING).fetchone()[0])

    def _send(self):
        self.stage.inside("ask", self.ids, {"queue": "cloud"})


@pytest.fixture(params=MOMENTS)
def refreshing(request, stage, database):
    return Refreshing(stage, database, request.param)


def assert_refreshed_once(stage, ids):
    stage.until_all_have_generation(2, len(ids))
    stage.until_quiet()
    assert stage.exchanges("cloud") == len(ids)
    assert not list(stage.made.directory.glob("spool/*"))
    assert_sound(stage)


def test_f23_a_lock_that_is_held_for_a_while_is_tried_again(
    stage, refreshing, other, setting
):
    setting("lock_timeout", "50ms")
    refreshing.begin()
    other.execute(GRANT, [refreshing.ids[1]])
    refreshing.meet()
    time.sleep(0.06)
    other.rollback()

    assert_refreshed_once(stage, refreshing.ids)


def test_f23_whom_a_deadlock_ends_tries_again(
    stage, refreshing, other, database, setting
):
    """The other one has what is wanted second, and wants what is had already."""
    # Looked for once, so long after the waiting began.
    setting("deadlock_timeout", "2s")
    before = database.execute(DEADLOCKS).fetchone()[0]
    first, second = refreshing.ids
    refreshing.begin()
    if refreshing.moment == "intent":
        had, wanted = (GRANT, first), (GRANT, second)
    else:
        had, wanted = (GRANT, second), (SEALED, second)
    other.execute(wanted[0], [wanted[1]])
    refreshing.meet()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(other.execute, had[0], [had[1]]).result(timeout=20)
    other.commit()

    assert_refreshed_once(stage, refreshing.ids)
    until(lambda: database.execute(DEADLOCKS).fetchone()[0] > before)


def test_f23_a_row_that_changed_meanwhile_is_read_again(
    stage, refreshing, other, setting
):
    """As where the operator chose a stricter isolation for the database."""
    setting("default_transaction_isolation", "repeatable read")
    refreshing.begin()
    other.execute(USED, [refreshing.ids[1]])
    refreshing.meet()
    other.commit()

    assert_refreshed_once(stage, refreshing.ids)


# --- nothing can be written -----------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_f24_a_database_that_takes_no_writes_stops_what_would_be_asked(stage, part):
    """A full disk or a failover: the answer goes to the spool, nothing else leaves."""
    (later,) = set(PARTS) - {part}
    stage.worker()
    stage.inside("make_due", list(stage.grants.values()))
    stage.points.at("answered", "hold")
    stage.inside("ask", [stage.grants[part]])
    stage.until_reached("answered")

    stage.set_in_database("default_transaction_read_only", "on")
    try:
        stage.cut_from_database()
        stage.points.go_on("answered")
        until(lambda: list(stage.made.directory.glob("spool/*.sealed")))
        told = stage.logged("read-only transaction")
        stage.inside("ask", [stage.grants[later]])
        until(lambda: stage.logged("read-only transaction") > told)
        assert stage.exchanges(later) == 0
    finally:
        stage.set_in_database("default_transaction_read_only", "DEFAULT")
        stage.cut_from_database()

    stage.until_generation(part, 2)
    stage.until_quiet()
    stage.tick()
    stage.until_generation(later, 2)
    for each in PARTS:
        assert stage.exchanges(each) == 1
    assert_sound(stage)


def test_f24_with_no_room_for_the_spool_either_the_process_keeps_the_answer(stage):
    stage.end_workers()
    environment = stage.made.environment
    spool = environment["CONFLUENCE_LINK_SPOOL_DIR"]
    # Nothing can be made there, whoever tries.
    environment["CONFLUENCE_LINK_SPOOL_DIR"] = "/proc/no-room"
    try:
        stage.worker()
    finally:
        environment["CONFLUENCE_LINK_SPOOL_DIR"] = spool
    stage.points.at("answered", "hold")
    stage.sweep("cloud")
    stage.until_reached("answered")
    stage.database_away()
    stage.points.go_on("answered")
    until(lambda: stage.logged("answer not spooled"))
    stage.database_back()

    stage.until_generation("cloud", 2)
    stage.until_quiet()
    assert stage.exchanges("cloud") == 1
    assert_sound(stage)
    stage.end_workers()
