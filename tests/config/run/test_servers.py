from __future__ import annotations

import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from config.env import BASE_DIR
from config.run.servers import temporary_server

pytestmark = pytest.mark.processes

NO_SERVERS = {
    name: value
    for name, value in os.environ.items()
    if name not in {"DATABASE_URL", "REDIS_URL"}
}


def is_serving(url: str) -> bool:
    try:
        return bool(redis.Redis.from_url(url).ping())
    except redis.ConnectionError:
        return False


def test_a_temporary_valkey_lives_as_long_as_it_is_needed():
    with temporary_server("valkey") as url:
        assert is_serving(url)

    assert not is_serving(url)


def test_a_server_that_cannot_start_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "false")

    with (
        pytest.raises(RuntimeError, match="no valkey"),
        temporary_server("valkey"),
    ):
        pass


def test_a_command_gets_a_postgresql_and_a_valkey():
    done = run_with_servers("sh", "-c", "echo $DATABASE_URL; echo $REDIS_URL; exit 3")

    database, broker = done.stdout.split()
    assert urlsplit(database).scheme == "postgresql"
    assert urlsplit(broker).scheme == "redis"
    assert done.returncode == 3
    assert not is_serving(broker)


def test_servers_that_the_environment_names_are_used():
    named = {"DATABASE_URL": "sqlite://:memory:", "REDIS_URL": "redis://127.0.0.1:1"}

    done = run_with_servers("sh", "-c", "echo $DATABASE_URL $REDIS_URL", **named)

    assert done.stdout.split() == list(named.values())


def run_with_servers(*command: str, **environment: str):
    return subprocess.run(
        [sys.executable, "-m", "config.run.servers", *command],
        cwd=BASE_DIR,
        env={**NO_SERVERS, **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_whoever_started_it(end):
    with subprocess.Popen(
        [sys.executable, "-m", "config.run.servers", "sh", "-c", "echo up; cat"],
        cwd=BASE_DIR,
        env={**NO_SERVERS, "DATABASE_URL": "sqlite://:memory:"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout.readline() == "up\n"
        family = psutil.Process(started.pid).children(recursive=True)
        assert any("valkey-server" in one.name() for one in family)

        started.send_signal(end)

    gone, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert gone
