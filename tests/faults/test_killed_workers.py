"""A worker is killed at each step of a refresh; another one goes on (F01 to F08).

Cloud takes a refresh token again for ten minutes. What that gives is not documented,
so each way that was thought of is tried. A Data Center that rotates takes it once.
"""

from __future__ import annotations

import signal

import pytest

from tests.faults.stage import assert_no_secret, assert_sound, until
from tests.sandbox_process import PARTS

pytestmark = pytest.mark.processes

# How the other side may be, such that a lost answer can be asked for again.
FORGIVING = {
    "cloud-siblings": ("cloud", {"reuse": "siblings"}),
    "cloud-lastwins": ("cloud", {"reuse": "last_wins"}),
    "idempotent": ("cloud", {"reuse": "idempotent"}),
    "dc-static": ("data-center", {"rotates_refresh_tokens": False}),
}
each_part = pytest.mark.parametrize("part", PARTS)
each_forgiving = pytest.mark.parametrize(
    ("part", "behaviour"), FORGIVING.values(), ids=FORGIVING
)


@each_part
def test_f01_killed_after_the_intent_another_worker_waits_for_the_lease(stage, part):
    """Killed before anything was sent: after the lease, one exchange."""
    stage.kill_at("leased", part)
    assert stage.row(part)["uncertain_since"]
    stage.worker()

    stage.tick()
    assert stage.box.count(part, "request.token") == 1  # of linking
    stage.lease_ends()
    stage.tick()

    stage.until_generation(part, 2)
    assert stage.exchanges(part) == 1
    assert_sound(stage)


@each_forgiving
def test_f02_killed_before_the_answer_the_same_token_is_sent_again(
    stage, part, behaviour
):
    """The other side had rotated; its leeway gives the tokens once more."""
    stage.behave(part, **behaviour)
    stage.fault(part, "hold_after", times=1)
    victim = stage.worker()
    stage.sweep(part)
    stage.until_counted(part, "exchange.refresh_token.ok")
    stage.made.kill(victim)
    stage.release(part)

    assert stage.inside("use", stage.grants[part])
    assert_recovered(stage, part, exchanges=2)


@each_part
def test_f03_killed_before_the_answer_and_nothing_had_arrived(stage, part):
    """The other side knows of one exchange only: the one after the lease."""
    stage.fault(part, "hang", times=1, seconds=600)
    victim = stage.worker()
    stage.sweep(part)
    stage.until_counted(part, "fault.token.hang")
    stage.made.kill(victim)

    assert_recovered(stage, part, exchanges=1)


@each_forgiving
def test_f04_killed_with_the_answer_in_hand(stage, part, behaviour):
    stage.behave(part, **behaviour)
    stage.kill_at("answered", part)

    assert stage.row(part)["generation"] == 1
    assert_recovered(stage, part, exchanges=2)


@each_part
def test_f05_killed_after_the_spool_the_answer_is_imported(stage, part):
    """Where nothing can be asked twice, as at Data Center, this is what saves it."""
    victim = stage.worker()
    stage.points.at("answered", "hold")
    stage.points.at("spooled", "kill")
    stage.sweep(part)
    stage.until_reached("answered")
    stage.database_away()
    stage.points.go_on("answered")
    assert stage.made.wait_for_end(victim) == -signal.SIGKILL
    stage.database_back()

    assert_recovered(stage, part, exchanges=1)
    assert not list((stage.made.directory / "spool").iterdir())


@each_part
def test_f06_killed_after_the_commit_the_message_comes_again_in_vain(stage, part):
    stage.kill_at("stored", part)
    assert stage.row(part)["generation"] == 2

    taken = stage.logged("batch asked=1")
    stage.inside("ask", [stage.grants[part]])
    stage.worker()

    until(lambda: stage.logged("batch asked=1") > taken)
    assert stage.row(part)["generation"] == 2
    assert stage.exchanges(part) == 1
    assert_sound(stage)


@pytest.mark.parametrize("reuse", ["siblings", "last_wins", "idempotent"])
def test_f07_five_answers_are_lost_in_a_row(stage, reuse):
    """Each lost with a child of the pool; the sixth comes before the leeway ends."""
    stage.behave("cloud", reuse=reuse)
    stage.worker("prefork")
    stage.inside("make_due", [stage.grants["cloud"]])
    began = stage.box.now()
    for lost in range(1, 6):
        stage.points.at("answered", "kill")
        stage.tick()
        stage.until_counted("cloud", "exchange.refresh_token.ok", lost)
        stage.until_reached("answered")
        stage.lease_ends()
    stage.tick()

    stage.until_generation("cloud", 2)
    assert stage.box.now() - began < 600
    assert stage.family("cloud")["reuses_inside_leeway"] == 5
    assert_sound(stage)


@each_part
def test_f08_after_an_outage_longer_than_the_leeway_it_is_called_a_lost_rotation(
    stage, part
):
    """Nobody can help that; the person hears of it once, and with the right word."""
    stage.kill_at("answered", part)
    stage.worker()
    for minutes in (11, 2, 4, 6, 9):
        stage.pass_time(60 * minutes)
        stage.tick()
        stage.until_quiet()

    row = stage.row(part)
    assert (row["status"], row["death_reason"]) == (
        "reconnect_needed",
        "rotation_lost",
    ), row
    for _ in range(2):
        stage.inside("send_notices")
    subjects = [mail["subject"] for mail in stage.box.mails("alice@example.org")]
    assert subjects.count("Your Confluence link needs you") == 1
    assert_no_secret(stage)


def assert_recovered(stage, part, *, exchanges):
    """Another worker finds it by itself as soon as the lease is over."""
    stage.worker()
    stage.lease_ends()
    stage.tick()
    stage.until_generation(part, 2)
    assert stage.exchanges(part) == exchanges
    assert_sound(stage)
