"""When to refresh and when to try again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from confluence_link.refresh import schedule

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
# Chance as it may come: many draws of a seeded generator.
DRAWS = [random.Random(seed) for seed in range(200)]  # noqa: S311  # for spread only


def _seconds(until: datetime) -> float:
    return (until - NOW).total_seconds()


def test_an_hour_s_token_is_refreshed_five_to_nine_minutes_before_its_end():
    margins = [
        3600
        - _seconds(
            schedule.refresh_at(
                now=NOW, expires_in_seconds=3600, min_seconds=60, chance=chance
            )
        )
        for chance in DRAWS
    ]
    assert 300 <= min(margins) < 330
    assert 510 < max(margins) <= 540


def test_a_short_life_keeps_a_quarter_of_itself_as_margin():
    waits = [
        _seconds(
            schedule.refresh_at(
                now=NOW, expires_in_seconds=60, min_seconds=20, chance=chance
            )
        )
        for chance in DRAWS
    ]
    assert min(waits) >= 45
    assert max(waits) <= 48


def test_it_is_never_refreshed_sooner_than_the_minimum():
    at = schedule.refresh_at(
        now=NOW, expires_in_seconds=60, min_seconds=60, chance=DRAWS[0]
    )
    assert _seconds(at) == 60


@pytest.mark.parametrize(
    ("failures", "alive", "cap"),
    [(1, True, 30), (2, True, 60), (20, True, 900), (20, False, 3600)],
)
def test_the_backoff_doubles_up_to_its_cap_with_full_jitter(failures, alive, cap):
    waits = [
        _seconds(
            schedule.try_again_at(
                now=NOW, failures=failures, alive=alive, at_least=1, chance=chance
            )
        )
        for chance in DRAWS
    ]
    assert 1 <= min(waits) < cap * 0.1
    assert cap * 0.9 < max(waits) <= cap


def test_the_backoff_is_never_shorter_than_what_is_asked():
    at = schedule.try_again_at(
        now=NOW, failures=0, alive=True, at_least=30, chance=DRAWS[0]
    )
    assert _seconds(at) == 30


@pytest.mark.parametrize(
    ("refusals", "seconds"), [(1, 60), (2, 120), (3, 240), (4, 480), (50, 480)]
)
def test_a_refusal_is_asked_again_after_a_minute_then_ever_later(refusals, seconds):
    at = schedule.ask_again_at(now=NOW, refusals=refusals, chance=DRAWS[0])
    assert seconds <= _seconds(at) <= seconds + 15


def test_the_fifth_refusal_comes_when_patience_may_decide():
    at = NOW
    for refusals in range(1, 5):
        at = schedule.ask_again_at(now=at, refusals=refusals, chance=DRAWS[0])
    assert 0 <= _seconds(at) - schedule.PATIENCE_SECONDS <= 60


@pytest.mark.parametrize(("seconds", "idle"), [(604_799, False), (604_800, True)])
def test_idle_begins_seven_days_after_the_last_use(seconds, idle):
    used_at = NOW - timedelta(seconds=seconds)
    assert schedule.is_idle(now=NOW, used_at=used_at) is idle


def test_f39_what_is_idle_comes_weekly_and_spreads():
    days = [
        _seconds(schedule.idle_refresh_at(now=NOW, idle_days=90, chance=chance))
        / 86_400
        for chance in DRAWS
    ]
    assert 5 <= min(days) < 5.2
    assert 6.8 < max(days) <= 7


@pytest.mark.parametrize("idle_days", [1, 7, 20])
def test_f39_a_short_idle_life_has_room_for_three_more_tries(idle_days):
    waits = [
        schedule.idle_refresh_at(now=NOW, idle_days=idle_days, chance=chance) - NOW
        for chance in DRAWS
    ]
    assert max(waits) * 4 <= timedelta(days=idle_days)
