"""The limits of a consent: so long without a rotation, so long in all (F39)."""

from __future__ import annotations

import pytest

from tests.faults.stage import assert_sound, until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]

DAY_SECONDS = 86_400
IDLE_DAYS, CLOUD_DAYS = 90, 365
# A week, less what spreads them.
LEAST_DAYS_APART = 5


def live_days(stage, days, *, each=1, reminds=False):
    """With beat's messages after each step, that are worked off."""
    for _ in range(0, days, each):
        stage.pass_time(each * DAY_SECONDS)
        stage.tick()
        if reminds:
            stage.inside("say", "remind_of_ends")
        stage.until_quiet()


def test_f39_what_nobody_uses_is_rotated_weekly_and_outlives_the_idle_limit(stage):
    stage.worker()
    # Until it counts as unused, each day has its refresh here.
    live_days(stage, 8)
    before = {part: stage.exchanges(part) for part in stage.grants}

    live_days(stage, IDLE_DAYS + 10)

    for part in stage.grants:
        rotations = stage.exchanges(part) - before[part]
        assert IDLE_DAYS / 7 <= rotations <= (IDLE_DAYS + 10) / LEAST_DAYS_APART + 1
        assert stage.row(part)["status"] == "active"
    assert_sound(stage)


def test_f39_the_last_day_at_cloud_is_reminded_of_and_then_is_the_reason(stage):
    """Data Center has none. A new consent is all that it takes."""
    stage.worker()
    live_days(stage, CLOUD_DAYS - 35, each=5)
    live_days(stage, 34, reminds=True)

    told = stage.inside("events", "grant.ends_soon")
    assert [one["days"] for one in told] == [30, 14, 7, 1]
    stage.inside("send_notices")
    subjects = [mail["subject"] for mail in stage.box.mails("alice@example.org")]
    assert sum(" ends on " in subject for subject in subjects) == len(told)
    assert {one["status"] for one in stage.inside("rows")} == {"active"}
    assert_sound(stage)

    live_days(stage, 1, reminds=True)
    stage.inside("make_due", [stage.grants["cloud"]])
    # Asked again after a quarter of an hour, in case it was said by mistake.
    stage.live(minutes=60, each=5)
    until(lambda: stage.row("cloud")["status"] == "reconnect_needed")
    assert stage.row("cloud")["death_reason"] == "absolute_expired"
    assert_sound(stage, "data-center")
    stage.grants["cloud"] = stage.inside("link_cloud", stage.box.cloud_url)
    assert_sound(stage)
