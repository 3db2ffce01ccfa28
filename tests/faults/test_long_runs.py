"""A day of what goes wrong now and then, and half an hour of deploys, in minutes.

F43 is compressed: tokens live for seconds, so that each grant is rotated as often as
in a day, at the rate that the list of faults asks for. What needs the time itself, such
as a leak of a kilobyte an hour, it does not see; `FAULT_SOAK_SECONDS=86400` does. F50
deploys again and again without a pause; `FAULT_DEPLOYS` says how often.
"""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import contextmanager
from threading import Event, Thread

import psutil
import pytest
import redis

from tests.databases import connect
from tests.faults.stage import Inside, assert_no_secret, staged, until
from tests.sandbox_process import PARTS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

SOAK_SECONDS = int(os.environ.get("FAULT_SOAK_SECONDS", "0"))
DEPLOYS = int(os.environ.get("FAULT_DEPLOYS", "5"))
# Tokens of an hour are rotated every 53 minutes.
ROTATIONS_A_DAY = 27
# 60 a second: each is rotated after three quarters of its life.
SOAKED, SOAKED_LIFE_SECONDS = 400, 8
# A breaker that opened lets the pace grow for a minute; there must be time between.
BETWEEN_FAULTS_SECONDS = 10
DEPLOYED, DEPLOYED_LIFE_SECONDS = 100, 20
# What the list of faults grants to somebody who waits for a token during a deploy.
HANDOUT_SECONDS = 2
CONNECTIONS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'"""


@pytest.fixture(scope="module")
def busy_stage(tmp_path_factory):
    with staged(
        tmp_path_factory.mktemp("stage"),
        CONFLUENCE_LINK_SWEEP_SECONDS="1",
        CONFLUENCE_LINK_MIN_REFRESH_SECONDS="5",
        LOG_LEVEL="INFO",
    ) as made:
        yield made


@pytest.fixture
def busy(busy_stage):
    """Nobody works yet; see `keep_busy`."""
    busy_stage.end_workers()
    busy_stage.begin_anew()
    # A lost answer of one that rotates without leeway is lost for good (F08).
    busy_stage.behave("data-center", rotates_refresh_tokens=False)
    yield busy_stage
    busy_stage.end_beat()
    busy_stage.end_workers()


def keep_busy(stage, count, life_seconds):
    """Two workers and beat keep so many grants whose tokens live so long."""
    for part in PARTS:
        stage.behave(part, access_token_seconds=life_seconds)
    many = stage.link_many(count)
    stage.worker()
    stage.another_worker("prefork")
    stage.inside("make_due", [*stage.grants.values(), *many])
    stage.beat()


def assert_all_are_refreshed(stage):
    """Each grant has tokens that are newer than this moment."""
    count = len(stage.inside("rows"))
    began = stage.inside("now")
    until(
        lambda: stage.inside("count_rotated_since", began) == count,
        lambda: f"not refreshed: {stage.inside('rows')}",
        seconds=200,
    )
    assert {one["status"] for one in stage.inside("rows")} == {"active"}
    for part in PARTS:
        assert stage.inside("use", stage.grants[part])
        families = stage.box.state(part)["families"]
        assert sum(family["breaches"] for family in families) == 0
        assert {family["ended"] for family in families} == {None}


# --- deploys ----------------------------------------------------------------------


@contextmanager
def somebody_asks_for_tokens(stage):
    """Again and again, at both parts; how many seconds each time took."""
    seconds, is_over = [], Event()
    asking = Inside(stage.made)

    def ask():
        while not is_over.is_set():
            for part in PARTS:
                began = time.monotonic()
                asking("use", stage.grants[part])
                seconds.append(time.monotonic() - began)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield seconds
    finally:
        is_over.set()
        thread.join()
        asking.end()


def test_f50_deploys_under_load_lose_no_answer_and_leave_nobody_waiting(busy):
    """Workers and beat; the site, which keeps nothing of a refresh, is `Inside`.

    The one test that asserts a time, because the list of faults names it.
    """
    keep_busy(busy, DEPLOYED, DEPLOYED_LIFE_SECONDS)
    with somebody_asks_for_tokens(busy) as seconds:
        for _ in range(DEPLOYS):
            for pool in ("threads", "prefork"):
                (old,) = [name for name in busy.running() if name.startswith(pool)]
                busy.another_worker(pool)
                busy.made.send(old, signal.SIGTERM)
                assert busy.made.wait_for_end(old) == 0
            busy.made.end(busy.beat())
            busy.beat()
    # Whoever met an error has stopped asking.
    assert len(seconds) > 20 * DEPLOYS
    assert sorted(seconds)[int(len(seconds) * 0.99)] < HANDOUT_SECONDS

    assert_all_are_refreshed(busy)
    for part in PARTS:
        families = busy.box.state(part)["families"]
        assert sum(family["reuses_inside_leeway"] for family in families) == 0
        assert busy.box.count(part, "api.expired") == 0
    assert_no_secret(busy)


# --- whatever may happen ----------------------------------------------------------


def kill_a_worker(stage):
    (name,) = [name for name in stage.running() if name.startswith("prefork")]
    stage.made.kill(name)
    stage.another_worker("prefork")


def stop_a_worker(stage):
    for number in (signal.SIGSTOP, signal.SIGCONT):
        (name,) = [name for name in stage.running() if name.startswith("prefork")]
        stage.made.send(name, number)
        time.sleep(1)


def cut_the_database(stage):
    stage.cut_from_database()


def take_the_database_away(stage):
    stage.database_away()
    time.sleep(1)
    stage.database_back()


def empty_the_broker(stage):
    with redis.Redis.from_url(stage.made.environment["REDIS_URL"]) as broker:
        broker.flushall()


def fail_a_few(stage):
    meet(stage, "server_error")


def lose_a_few(stage):
    meet(stage, "drop_after")


def meet(stage, preset):
    """Three of many at Cloud, and the only one of the server once.

    What it has not met yet is taken back: one that fails whenever it is tried waits
    for an hour in the end, as it should.
    """
    for part, times in zip(PARTS, (3, 1), strict=True):
        stage.clear(part)
        stage.fault(part, preset, times=times)


def limit_the_rate(stage):
    stage.fault("cloud", "rate_limited", times=1, retry_after="3")


FAULTS = (
    kill_a_worker,
    stop_a_worker,
    cut_the_database,
    take_the_database_away,
    empty_the_broker,
    fail_a_few,
    lose_a_few,
    limit_the_rate,
)


def is_over(stage, end):
    """The time is, and each grant was rotated as often as in a day, on average."""
    rotations = stage.inside("sum_of_rotations")
    return time.monotonic() > end and rotations >= ROTATIONS_A_DAY * SOAKED


def test_f43_a_day_of_rotations_with_random_faults_loses_no_grant_and_grows_nothing(
    busy,
):
    keep_busy(busy, SOAKED, SOAKED_LIFE_SECONDS)
    chance = random.Random(43)  # noqa: S311  # the same faults each time
    (lasting,) = [name for name in busy.running() if name.startswith("threads")]
    process = psutil.Process(busy.made.pid_of(lasting))
    sizes = []
    end = time.monotonic() + SOAK_SECONDS
    while not is_over(busy, end):
        chance.choice(FAULTS)(busy)
        time.sleep(BETWEEN_FAULTS_SECONDS)
        if busy.made.is_running(lasting):
            sizes.append(process.memory_info().rss)
        else:
            # As its process manager would.
            lasting = busy.another_worker("threads")
            process, sizes = psutil.Process(busy.made.pid_of(lasting)), []
    for part in PARTS:
        busy.clear(part)

    # What a killed worker had begun waits for its lease.
    assert_all_are_refreshed(busy)
    with connect(busy.made.environment["DATABASE_URL"]) as connection:
        assert connection.execute(CONNECTIONS).fetchone()[0] < 20
    third = len(sizes) // 3
    if third:
        assert max(sizes[-third:]) - max(sizes[:third]) < 20_000_000
    assert_no_secret(busy)
