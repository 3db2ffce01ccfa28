"""The database goes away, or back in time, during a refresh (F22, F25, F26)."""

from __future__ import annotations

import pytest

from tests.faults.postgresql import own_server
from tests.faults.stage import assert_no_secret, assert_sound, staged
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

each_part = pytest.mark.parametrize("part", PARTS)
REUSES = ["siblings", "last_wins", "idempotent"]


@pytest.fixture(scope="module")
def server():
    with own_server() as started:
        yield started


@pytest.fixture(scope="module")
def own_stage(server, tmp_path_factory):
    with staged(tmp_path_factory.mktemp("stage"), database=server.url) as made:
        yield made


@pytest.fixture
def stage(own_stage):
    own_stage.begin_anew()
    return own_stage


# --- a restart ------------------------------------------------------------------


@each_part
@pytest.mark.parametrize("step", ["leased", "answered", "stored"])
def test_f22_a_restart_at_this_step_costs_no_second_exchange(stage, server, part, step):
    stage.worker()
    stage.points.at(step, "hold")
    stage.sweep(part)
    stage.until_reached(step)

    server.restart()
    stage.points.go_on(step)

    assert_stored_without_asking_again(stage, part)


@each_part
def test_f22_a_restart_while_the_answer_is_on_its_way(stage, server, part):
    stage.worker()
    stage.fault(part, "hold_after", times=1)
    stage.sweep(part)
    stage.until_counted(part, "exchange.refresh_token.ok")

    server.restart()
    stage.release(part)

    assert_stored_without_asking_again(stage, part)


@each_part
def test_f22_an_answer_in_the_spool_is_stored_when_the_database_is_back(
    stage, server, part
):
    stage.worker()
    stage.points.at("answered", "hold")
    stage.points.at("spooled", "hold")
    stage.sweep(part)
    stage.until_reached("answered")
    server.stop()
    stage.points.go_on("answered")
    stage.until_reached("spooled")

    server.start()
    stage.points.go_on("spooled")

    assert_stored_without_asking_again(stage, part)


def test_f22_many_answers_at_once_find_no_database(stage, server):
    """Those stored and those in the spool are kept; nothing more is asked meanwhile."""
    count = 60
    ids = stage.link_many(count)
    stage.worker()
    stage.points.at("stored", "hold", nth=2)
    stage.points.at("spooled", "hold")
    stage.inside("make_due", ids)
    stage.tick()
    stage.until_reached("stored")

    server.stop()
    stage.points.go_on("stored")
    stage.until_reached("spooled")
    server.start()
    stage.points.go_on("spooled")
    stage.until_quiet()

    stage.lease_ends()
    stage.sweep_until_all_have_generation(2, count)
    assert stage.exchanges("cloud") == count
    assert_sound(stage)


def assert_stored_without_asking_again(stage, part):
    stage.until_generation(part, 2)
    stage.until_quiet()
    assert stage.exchanges(part) == 1
    assert_sound(stage)


# --- lost commits ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "behaviour"),
    [
        *(("cloud", {"reuse": reuse}) for reuse in REUSES),
        ("data-center", {"rotates_refresh_tokens": False}),
    ],
    ids=[*REUSES, "dc-static"],
)
def test_f25_a_failover_that_lost_the_commit_is_repaired(
    stage, server, part, behaviour
):
    """The replica knows neither of the tokens nor that anybody asked for them."""
    stage.behave(part, **behaviour)
    stage.worker()
    stage.inside("make_due", [stage.grants[part]])
    server.keep_copy()
    stage.tick()
    stage.until_generation(part, 2)

    server.go_back()
    assert stage.row(part)["generation"] == 1
    stage.tick()

    stage.until_generation(part, 2)
    assert stage.exchanges(part) == 2
    assert_sound(stage)


def test_f25_what_cannot_be_repaired_is_not_served_as_if_it_were(stage, server):
    """A rotating Data Center takes the old token no more; linking again heals it."""
    stage.worker()
    stage.inside("make_due", [stage.grants["data-center"]])
    server.keep_copy()
    stage.tick()
    stage.until_generation("data-center", 2)
    server.go_back()

    for minutes in (0, 2, 4, 6, 9):
        stage.pass_time(60 * minutes)
        stage.tick()
        stage.until_quiet()

    assert stage.row("data-center")["status"] == "reconnect_needed"
    with pytest.raises(RuntimeError, match="ReauthorizationRequired"):
        stage.inside("use", stage.grants["data-center"])
    stage.inside("link_data_center", stage.box.data_center_url)
    # Whoever lost a commit cannot but show the old token there; that is the breach.
    assert_sound(stage, given_up="data-center")


def test_f26_a_restored_backup_is_a_mass_refusal_and_kills_nobody(stage, server):
    """All tokens are hours old and no longer taken: that proves nothing of anybody."""
    ids = [stage.grants["cloud"], *stage.link_many(7)]
    stage.worker()
    server.keep_copy()
    for generation in (2, 3):
        stage.inside("make_due", ids)
        stage.tick()
        stage.until_all_have_generation(generation, len(ids))
        stage.pass_time(3600)
    server.go_back()
    stage.inside("move_back", 7200)

    for minutes in (0, 2, 4, 6, 9, 9):
        stage.pass_time(60 * minutes)
        stage.tick()
        stage.until_quiet()

    assert stage.row("cloud")["refusals"] >= 3
    rows = [one for one in stage.inside("rows") if one["pk"] in ids]
    assert {one["status"] for one in rows} == {"active"}
    assert len(stage.inside("events", "app.mass_refusal")) == 1
    # Whoever links again is healed; nobody has to wait for the others.
    stage.inside("link_cloud", stage.box.cloud_url)
    stage.inside("make_due", [stage.grants["cloud"]])
    assert stage.inside("refresh_now", stage.grants["cloud"]) == "refreshed"
    assert_no_secret(stage)
