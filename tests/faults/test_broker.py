"""The broker forgets, breaks off, refuses or goes silent (F17 and F18)."""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

import pytest
import redis

from config.run.servers import temporary_server
from tests.faults.stage import assert_sound, staged, until
from tests.faults.tcp_proxy import proxy_before
from tests.sandbox_process import PARTS

# Long: `make test-faults` runs them.
pytestmark = [pytest.mark.processes, pytest.mark.faults]

# Longer than the first tries to connect again take.
AWAY_SECONDS = int(os.environ.get("BROKER_AWAY_SECONDS", "6"))


# --- it forgets everything ------------------------------------------------------


@pytest.mark.parametrize("step", ["leased", "answered", "stored"])
def test_f17_forgetting_everything_at_this_step_loses_nothing(stage, step):
    stage.worker()
    for part in PARTS:
        stage.points.at(step, "hold")
        stage.sweep(part)
        stage.until_reached(step)
        flush(stage)
        stage.points.go_on(step)
        stage.until_generation(part, 2)
        assert stage.exchanges(part) == 1

    assert_refreshed_by_the_next_sweep(stage)


def test_f17_messages_that_were_forgotten_are_sent_again_within_two_sweeps(stage):
    stage.end_workers()
    stage.sweep()
    flush(stage)
    stage.worker()
    for _ in range(2):
        stage.pass_time(31)
        stage.tick()

    for part in PARTS:
        stage.until_generation(part, 2)
    assert_sound(stage)


def flush(stage):
    with redis.Redis.from_url(stage.made.environment["REDIS_URL"]) as broker:
        broker.flushall()


def assert_refreshed_by_the_next_sweep(stage):
    """Nobody restarted anything."""
    stage.sweep()
    for part in PARTS:
        stage.until_generation(part, 3)
    assert_sound(stage)


# --- it is away -----------------------------------------------------------------


@pytest.fixture(scope="module")
def broker():
    with temporary_server("valkey") as url:
        yield url


@pytest.fixture(scope="module")
def proxy(broker):
    parts = urlsplit(broker)
    with proxy_before(parts.hostname, parts.port) as opened:
        yield opened


@pytest.fixture(scope="module")
def far_stage(proxy, tmp_path_factory):
    """Behind the proxy; where beat runs, it sweeps every two seconds."""
    with staged(
        tmp_path_factory.mktemp("stage"),
        broker=f"redis://127.0.0.1:{proxy.port}/0",
        CONFLUENCE_LINK_SWEEP_SECONDS="2",
    ) as made:
        yield made


@pytest.fixture
def far(far_stage):
    far_stage.begin_anew()
    return far_stage


def restart(proxy, broker):
    """It comes back empty, after a while in which nobody listens."""
    proxy.refuse()
    with redis.Redis.from_url(broker) as client:
        client.flushall()


def go_silent(proxy, broker):
    proxy.swallow()


def reset(proxy, broker):
    proxy.cut()


def become_read_only(proxy, broker):
    with redis.Redis.from_url(broker) as client:
        client.replicaof("127.0.0.1", 1)


def fill_up(proxy, broker):
    with redis.Redis.from_url(broker) as client:
        client.config_set("maxmemory", 1)


def heal(proxy, broker):
    proxy.open()
    with redis.Redis.from_url(broker) as client:
        client.replicaof("NO", "ONE")
        client.config_set("maxmemory", 0)


@pytest.mark.faults
@pytest.mark.timeout(300)
@pytest.mark.parametrize("pool", ["prefork", "threads"])
@pytest.mark.parametrize(
    "fault", [reset, restart, go_silent, become_read_only, fill_up]
)
def test_f18_without_a_broker_tokens_are_served_and_afterwards_workers_go_on(
    far, proxy, broker, fault, pool
):
    """Whoever asks for a token gets one meanwhile.

    A worker goes on by itself, or ends and is started by its process manager; it never
    stays and does nothing.
    """
    far.worker(pool)
    far.beat()
    fault(proxy, broker)
    try:
        far.inside("make_due", list(far.grants.values()))
        for part in PARTS:
            far.inside("refresh_now", far.grants[part])
            assert far.inside("use", far.grants[part])
            assert far.row(part)["generation"] == 2
        time.sleep(AWAY_SECONDS)
    finally:
        heal(proxy, broker)
    far.inside("make_due", list(far.grants.values()))

    for part in PARTS:
        until(lambda part=part: is_refreshed(far, part, pool))
    far.end_workers()
    assert_sound(far)


def is_refreshed(stage, part, pool):
    if not stage.is_working():
        stage.worker(pool)
    stage.beat()
    return stage.row(part)["generation"] >= 3
