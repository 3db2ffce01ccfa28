"""Beat whose clock jumps, and beat whom no worker listens to (F12, F19)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
import time_machine

from config.beat import SteadyScheduler
from config.celery_app import app
from confluence_link import tasks

MINUTE, HOUR = 60, 3600
# Far from the minutes at which the hourly messages are sent.
NOON = datetime(2026, 3, 29, 12, 0, 7, tzinfo=UTC)
HOURLY = ("remind_of_ends", "report_accounts")


@pytest.fixture
def clock():
    """Beat's; it goes on when beat sleeps."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def begin(tmp_path, clock):
    """Starts beat; what it remembers outlives it."""
    begun = []

    def begin():
        begun.append(SteadyScheduler(app, schedule_filename=str(tmp_path / "schedule")))
        return begun[-1]

    yield begin
    for beat in begun:
        beat.close()


@pytest.fixture
def take(db):
    """How many of each message lie at the broker; taking them leaves none there."""
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("celery")
        queue.clear()

        def take():
            taken = Counter()
            while queue.qsize():
                message = queue.get(block=False)
                message.ack()
                taken[message.headers["task"].rpartition(".")[2]] += 1
            return taken

        yield take
        queue.clear()
        queue.close()


def run(beat, clock, seconds):
    """So many, as something that counts them well would tell."""
    while seconds > 0:
        # Nothing is done in no time at all, and beat waits for that.
        pause = max(beat.tick(), 0.001)
        clock.shift(pause)
        seconds -= pause


def test_beat_sends_each_message_at_its_time(begin, clock, take):
    run(begin(), clock, HOUR)

    sent = take()
    assert {name: sent[name] for name in HOURLY} == dict.fromkeys(HOURLY, 1)
    assert 58 <= sent["purge"] <= 61
    assert 230 <= sent["send_notices"] <= 241
    # Every five seconds in tests.
    assert 690 <= sent["sweep"] <= 721


@pytest.mark.parametrize("seconds", [3, 10, 10 * MINUTE, HOUR, 24 * HOUR])
def test_f12_beat_whose_clock_is_set_back_goes_on(begin, clock, take, seconds):
    beat = begin()
    run(beat, clock, MINUTE)
    before = take()
    clock.shift(-seconds)

    run(beat, clock, MINUTE)

    sent = take()
    for name in ("sweep", "send_notices"):
        assert abs(sent[name] - before[name]) <= 2


@pytest.mark.parametrize("seconds", [10, 10 * MINUTE, HOUR, 24 * HOUR])
def test_f12_beat_whose_clock_is_set_on_makes_nothing_up_for(
    begin, clock, take, seconds
):
    beat = begin()
    run(beat, clock, MINUTE)
    before = take()
    clock.shift(seconds)

    run(beat, clock, MINUTE)

    sent = take()
    for name in ("sweep", "send_notices", "purge"):
        assert 1 <= sent[name] <= before[name] + 2
    for name in HOURLY:
        assert sent[name] <= 1


def test_f12_beat_that_was_ahead_until_its_restart_goes_on(begin, clock, take):
    """A machine whose clock is right only some time after its start."""
    clock.shift(HOUR)
    beat = begin()
    run(beat, clock, MINUTE)
    beat.close()
    take()
    clock.shift(-HOUR)

    run(begin(), clock, MINUTE)

    assert take()["sweep"] >= 10


def test_f19_beat_sends_no_more_than_somebody_will_read(
    begin, clock, take, monkeypatch
):
    """And begins again when the worker is back."""
    monkeypatch.setattr(tasks, "WAITING_AT_MOST", 50)
    beat = begin()
    run(beat, clock, HOUR)

    assert take().total() == 50
    run(beat, clock, MINUTE)
    assert take()["sweep"] >= 10
