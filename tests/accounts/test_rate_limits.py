"""Counting what may be done so often, with one cache, with a server, and without."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.cache import cache
from django.test import RequestFactory

from accounts import rate_limits
from config.cache import SteadyCache
from config.run.servers import temporary_server

# Long enough that no test sees a window end.
AGES = 10**9
OPTIONS = {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}


def allow(key="alice", *, action="guess", limit=3, per_seconds=AGES):
    return rate_limits.allow(action, key=key, limit=limit, per_seconds=per_seconds)


@pytest.fixture
def clock(monkeypatch):
    """The time of day, which only the test moves."""

    class Clock:
        now = 60_000.0

    monkeypatch.setattr("time.time", lambda: Clock.now)
    return Clock


def test_as_many_as_the_limit_are_allowed_and_no_more():
    assert [allow() for _ in range(5)] == [True, True, True, False, False]


def test_each_key_and_each_action_is_counted_for_itself():
    assert not all(allow() for _ in range(4))

    assert allow("bob")
    assert allow(action="start")


def test_a_window_that_ended_weighs_less_and_less(clock):
    assert [allow(limit=4, per_seconds=60) for _ in range(5)][-1] is False

    clock.now += 60
    assert not allow(limit=4, per_seconds=60)
    clock.now += 30
    assert allow(limit=4, per_seconds=60)


def test_who_stops_for_two_windows_begins_anew(clock):
    assert not all(allow(per_seconds=60) for _ in range(50))

    clock.now += 120
    assert [allow(per_seconds=60) for _ in range(4)] == [True, True, True, False]


def test_of_many_at_once_exactly_the_limit_is_allowed():
    together = Barrier(20, timeout=30)

    def one(_):
        together.wait()
        return allow(limit=7)

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, range(20))) == 7


def test_the_cache_never_sees_the_key():
    allow("alice@example.org")

    assert cache._cache
    assert not any("alice" in name for name in cache._cache)


def test_an_address_behind_no_proxy_is_the_connections_own():
    request = RequestFactory().get(
        "/", REMOTE_ADDR="198.51.100.7", headers={"X-Forwarded-For": "203.0.113.9"}
    )

    assert rate_limits.source_of(request) == "198.51.100.7"


@pytest.fixture
def no_server(monkeypatch):
    steady = SteadyCache("redis://127.0.0.1:9/0", OPTIONS)
    steady.clear()
    monkeypatch.setattr(rate_limits, "cache", steady)


def test_r09_without_its_server_a_limit_is_stricter_and_not_off(no_server):
    allowed = [allow(limit=20) for _ in range(20)]

    assert allowed == [True] * 5 + [False] * 15


def test_r09_without_its_server_the_least_limit_still_lets_one_through(no_server):
    assert [allow(limit=1) for _ in range(2)] == [True, False]


def test_a_server_that_comes_back_between_two_words_counts_on(monkeypatch):
    """The counter was made here, and is asked for there."""
    steady = SteadyCache("redis://127.0.0.1:9/0", OPTIONS)
    steady.clear()
    forgets_once = itertools.chain([steady.local.clear], itertools.repeat(lambda: None))
    add = steady.local.add

    def add_then_leave(*args):
        added = add(*args)
        next(forgets_once)()
        return added

    monkeypatch.setattr(steady.local, "add", add_then_leave)
    monkeypatch.setattr(rate_limits, "cache", steady)

    assert [allow(limit=8) for _ in range(3)] == [True, True, False]


@pytest.mark.processes
def test_r01_limits_are_exact_in_threads_and_survive_a_restart(monkeypatch):
    together = Barrier(20, timeout=30)

    with temporary_server("valkey") as url:
        before, after = SteadyCache(url, OPTIONS), SteadyCache(url, OPTIONS)
        monkeypatch.setattr(rate_limits, "cache", before)

        def one(_):
            together.wait()
            return allow(limit=12)

        with ThreadPoolExecutor(20) as pool:
            assert sum(pool.map(one, range(20))) == 12
        monkeypatch.setattr(rate_limits, "cache", after)
        assert not allow(limit=12)
        for each in (before, after):
            each._cache._pools[0].disconnect()
