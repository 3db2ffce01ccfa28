"""The cache with and without its server."""

from __future__ import annotations

import pytest

from config.cache import SteadyCache
from config.run.servers import temporary_server

OPTIONS = {"OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1}}


@pytest.fixture
def away():
    """A cache whose server is not there."""
    cache = SteadyCache("redis://127.0.0.1:9/0", OPTIONS)
    cache.clear()
    return cache


def test_r09_without_its_server_this_process_still_counts(away):
    away.set("attempts", 1)
    away.incr("attempts")

    assert away.get("attempts") == 2
    assert away.add("attempts", 5) is False


@pytest.mark.processes
def test_with_its_server_two_processes_would_share_it():
    with temporary_server("valkey") as url:
        first, second = SteadyCache(url, OPTIONS), SteadyCache(url, OPTIONS)
        first.set("attempts", 1)
        second.incr("attempts")

        assert first.get("attempts") == 2
        for cache in (first, second):
            cache.close()
