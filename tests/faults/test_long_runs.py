"""Hours of what goes wrong now and then, in minutes (F43, F50).

Tokens live for twenty seconds, so that much happens. `SOAK_SECONDS` and `DEPLOYS` make
it longer: a day and thirty minutes are what the list of faults asks for.
"""

from __future__ import annotations

import os
import random
import signal
import time

import psutil
import pytest
import redis

from tests.databases import connect
from tests.faults.stage import assert_no_secret, staged, until
from tests.sandbox_process import PARTS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(0)]

SOAK_SECONDS = int(os.environ.get("FAULT_SOAK_SECONDS", "90"))
DEPLOYS = int(os.environ.get("FAULT_DEPLOYS", "3"))
GRANTS = int(os.environ.get("FAULT_GRANTS", "40"))
LIFE_SECONDS = 20
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
    """Two workers and beat keep many grants of a short life."""
    busy_stage.end_workers()
    busy_stage.begin_anew()
    for part in PARTS:
        busy_stage.behave(part, access_token_seconds=LIFE_SECONDS)
    # A lost answer of one that rotates without leeway is lost for good (F08).
    busy_stage.behave("data-center", rotates_refresh_tokens=False)
    many = busy_stage.link_many(GRANTS)
    busy_stage.worker()
    busy_stage.another_worker("prefork")
    busy_stage.inside("make_due", [*busy_stage.grants.values(), *many])
    busy_stage.beat()
    yield busy_stage
    busy_stage.end_beat()
    busy_stage.end_workers()


def assert_all_are_refreshed(stage):
    """Each grant has tokens that are newer than this moment."""
    before = {one["pk"]: one["generation"] for one in stage.inside("rows")}
    until(
        lambda: all(
            one["generation"] > before[one["pk"]] for one in stage.inside("rows")
        ),
        lambda: f"not refreshed: {stage.inside('rows')}",
        seconds=200,
    )
    assert {one["status"] for one in stage.inside("rows")} == {"active"}
    for part in PARTS:
        assert stage.inside("use", stage.grants[part])
        families = stage.box.state(part)["families"]
        assert sum(family["breaches"] for family in families) == 0
        assert {family["ended"] for family in families} == {None}


def test_f50_deploys_under_load_lose_no_answer_and_leave_nobody_waiting(busy):
    for _ in range(DEPLOYS):
        for pool in ("threads", "prefork"):
            (old,) = [name for name in busy.running() if name.startswith(pool)]
            busy.another_worker(pool)
            busy.made.send(old, signal.SIGTERM)
            assert busy.made.wait_for_end(old) == 0
            for part in PARTS:
                assert busy.inside("use", busy.grants[part])
        busy.made.end(busy.beat())
        busy.beat()

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
    for part in PARTS:
        stage.fault(part, "server_error", times=3)


def lose_a_few(stage):
    for part in PARTS:
        stage.fault(part, "drop_after", times=3)


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


def test_f43_a_long_time_with_random_faults_loses_no_grant_and_grows_nothing(busy):
    chance = random.Random(SOAK_SECONDS)  # noqa: S311  # the same faults each time
    (lasting,) = [name for name in busy.running() if name.startswith("threads")]
    process = psutil.Process(busy.made.pid_of(lasting))
    sizes = []
    end = time.monotonic() + SOAK_SECONDS
    while time.monotonic() < end:
        chance.choice(FAULTS)(busy)
        time.sleep(2)
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
