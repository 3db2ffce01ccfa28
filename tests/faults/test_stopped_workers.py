"""Workers that are told to end, stopped for a while, or cut off (F09 to F11)."""

from __future__ import annotations

import signal

import pytest

from tests.faults.stage import assert_no_secret, assert_sound, until
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

each_part = pytest.mark.parametrize("part", PARTS)
REUSES = ["siblings", "last_wins", "idempotent"]


@each_part
@pytest.mark.parametrize("step", ["leased", "answered", "stored"])
def test_f09_a_worker_that_is_told_to_end_finishes_its_step(stage, part, step):
    """A deploy sends SIGTERM; what is under way is stored before the process ends."""
    name = stage.worker("prefork")
    stage.points.at(step, "hold")
    stage.sweep(part)
    stage.until_reached(step)

    stage.made.send(name, signal.SIGTERM)
    stage.points.go_on(step)

    assert stage.made.wait_for_end(name) == 0
    assert_stored_at_once(stage, part)


@each_part
def test_f09_it_waits_for_an_answer_that_is_on_its_way(stage, part):
    stage.fault(part, "hold_after", times=1)
    name = stage.worker("prefork")
    stage.sweep(part)
    stage.until_counted(part, "exchange.refresh_token.ok")

    stage.made.send(name, signal.SIGTERM)
    stage.release(part)

    assert stage.made.wait_for_end(name) == 0
    assert_stored_at_once(stage, part)


@each_part
def test_f09_without_a_database_it_stores_as_soon_as_there_is_one(stage, part):
    name = stage.worker("prefork")
    stage.points.at("answered", "hold")
    stage.points.at("spooled", "hold")
    stage.sweep(part)
    stage.until_reached("answered")
    stage.database_away()
    stage.made.send(name, signal.SIGTERM)
    stage.points.go_on("answered")
    stage.until_reached("spooled")

    stage.database_back()
    stage.points.go_on("spooled")

    assert stage.made.wait_for_end(name) == 0
    assert_stored_at_once(stage, part)


@each_part
def test_f09_killed_when_its_time_is_over_the_answer_is_in_the_spool(stage, part):
    """The database stays away for longer than a deploy waits."""
    name = stage.worker("prefork")
    stage.points.at("answered", "hold")
    stage.points.at("spooled", "hold")
    stage.sweep(part)
    stage.until_reached("answered")
    stage.database_away()
    stage.made.send(name, signal.SIGTERM)
    stage.points.go_on("answered")
    stage.until_reached("spooled")
    stage.made.kill(name)
    stage.database_back()

    stage.worker()
    stage.lease_ends()
    stage.tick()
    stage.until_generation(part, 2)
    assert stage.exchanges(part) == 1
    assert_sound(stage)


def assert_stored_at_once(stage, part):
    row = stage.row(part)
    assert (row["generation"], row["uncertain_since"], row["lease_until"]) == (
        2,
        None,
        None,
    )
    assert stage.exchanges(part) == 1
    assert_sound(stage)


@pytest.mark.parametrize("reuse", REUSES)
def test_f10_what_a_stopped_worker_writes_late_is_not_current(stage, reuse):
    """Stopped with the answer in hand for longer than its lease."""
    stage.behave("cloud", reuse=reuse)
    stopped = stage.worker()
    stage.points.at("answered", "stop")
    stage.sweep("cloud")
    stage.until_reached("answered")
    stage.another_worker()

    stage.pass_time(200)
    stage.tick()
    stage.until_generation("cloud", 2)
    stage.made.send(stopped, signal.SIGCONT)
    stage.until_quiet()

    assert stage.row("cloud")["generation"] == 2
    assert stage.exchanges("cloud") == 2
    assert_sound(stage)


def test_f10_where_nothing_is_taken_twice_the_late_answer_is_the_successor(stage):
    """The other worker is refused, and that is no proof of anything."""
    stopped = stage.worker()
    stage.points.at("answered", "stop")
    stage.sweep("data-center")
    stage.until_reached("answered")
    stage.another_worker()

    stage.pass_time(200)
    stage.tick()
    stage.until_counted("data-center", "exchange.refresh_token.invalid_grant")
    until(lambda: stage.row("data-center")["last_error"])
    stage.made.send(stopped, signal.SIGCONT)

    stage.until_generation("data-center", 2)
    assert stage.row("data-center")["status"] == "active"
    assert stage.family("data-center")["breaches"] == 1  # seen, and without harm
    stage.inside("make_due", [stage.grants["data-center"]])
    assert stage.inside("refresh_now", stage.grants["data-center"]) == "refreshed"
    assert stage.inside("use", stage.grants["data-center"])
    assert_no_secret(stage)


@pytest.mark.parametrize("reuse", REUSES)
def test_f11_a_child_of_the_pool_is_killed_for_want_of_memory(stage, reuse):
    """The same worker goes on with another child."""
    stage.behave("cloud", reuse=reuse)
    name = stage.worker("prefork")
    stage.points.at("answered", "kill")
    stage.sweep("cloud")
    stage.until_reached("answered")

    stage.lease_ends()
    stage.tick()

    stage.until_generation("cloud", 2)
    assert stage.made.is_running(name)
    assert stage.exchanges("cloud") == 2
    assert_sound(stage)


@pytest.mark.parametrize("limit", ["time_limit", "soft_time_limit"])
def test_f11_a_time_limit_ends_a_task_in_the_middle(stage, limit):
    name = stage.worker("prefork")
    stage.fault("cloud", "hold_after", times=1)
    stage.inside("make_due", [stage.grants["cloud"]])
    stage.inside("ask", [stage.grants["cloud"]], {limit: 1})
    stage.until_counted("cloud", "exchange.refresh_token.ok")
    stage.until_quiet()
    stage.release("cloud")

    stage.lease_ends()
    stage.tick()

    stage.until_generation("cloud", 2)
    assert stage.made.is_running(name)
    assert stage.exchanges("cloud") == 2
    assert_sound(stage)
