"""Nothing starts without the keys it needs (V06 to V08), or as it could not run."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys

import pytest
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

from config.env import BASE_DIR
from config.run import ports, programs
from confluence_link import vault
from tests import factories
from tests.confluence_link.vault.places import random_key

WEB_SERVERS = ["config.wsgi", "config.asgi"]


def start(name):
    """As a server does, which imports it: it asks the database."""
    sys.modules.pop(name, None)
    importlib.import_module(name)


@pytest.mark.parametrize("name", WEB_SERVERS)
def test_a_web_server_refuses_to_start_without_keys(settings, name):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYS"):
        start(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", WEB_SERVERS)
def test_v07_a_web_server_refuses_other_bytes_under_a_known_id(settings, name):
    vault.note_keys()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("test-2")]

    with pytest.raises(ImproperlyConfigured, match="Key test-2 has other bytes"):
        start(name)


@pytest.mark.django_db(transaction=True)
def test_a_web_server_starts_within_an_event_loop():
    async def serve():
        start("config.asgi")

    asyncio.run(serve())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signal", [worker_init, beat_init])
def test_v06_worker_and_beat_refuse_to_start_without_a_used_key(settings, signal):
    factories.make_oauth_app()
    settings.CONFLUENCE_LINK_VAULT_KEYS = [random_key("k9")]

    with pytest.raises(SystemExit, match="Key test-2 is missing, and 1 stored values"):
        signal.send(sender=None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_debug", [False, True])
@pytest.mark.parametrize("name", WEB_SERVERS)
def test_a_web_server_refuses_to_start_with_failpoints(settings, name, is_debug):
    settings.CONFLUENCE_LINK_FAILPOINTS = "points"
    settings.DEBUG = is_debug

    with pytest.raises(ImproperlyConfigured, match="FAILPOINTS"):
        start(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signal", [worker_init, beat_init])
def test_worker_and_beat_refuse_to_start_with_failpoints(settings, signal):
    settings.CONFLUENCE_LINK_FAILPOINTS = "points"

    with pytest.raises(SystemExit, match="FAILPOINTS"):
        signal.send(sender=None)


NUMBERS = [
    "CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND",
    "CONFLUENCE_LINK_MIN_REFRESH_SECONDS",
    "CONFLUENCE_LINK_SWEEP_SECONDS",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", WEB_SERVERS)
def test_a_web_server_refuses_to_start_with_nothing_a_second(settings, name, number):
    setattr(settings, number, 0)

    with pytest.raises(ImproperlyConfigured, match=number):
        start(name)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("signal", [worker_init, beat_init])
def test_worker_and_beat_refuse_to_start_with_nothing_a_second(
    settings, signal, number
):
    setattr(settings, number, 0)

    with pytest.raises(SystemExit, match=number):
        signal.send(sender=None)


@pytest.mark.processes
@pytest.mark.parametrize(
    "program", ["worker", "beat", "site", "refresh_grants", "migrate"]
)
def test_with_failpoints_in_the_environment_nothing_starts(tmp_path, program):
    address = programs.Address("127.0.0.1", ports.free_port())
    command = {
        "worker": programs.worker(),
        "beat": programs.beat(tmp_path),
        "site": programs.site(address),
    }.get(program, programs.manage(program))
    environment = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "only-for-a-process-that-does-not-start",
        "CONFLUENCE_LINK_VAULT_KEYS": random_key("k1"),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "PUBLIC_URL": "http://localhost:8000",
        # Nobody listens there; it must not come to that.
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "CONFLUENCE_LINK_FAILPOINTS": str(tmp_path),
    }

    ended = subprocess.run(
        command,
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode != 0
    assert "CONFLUENCE_LINK_FAILPOINTS is set" in ended.stderr


@pytest.mark.processes
@pytest.mark.parametrize("program", ["worker", "beat"])
def test_a_worker_and_beat_refuse_to_start_without_keys(tmp_path, program):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(BASE_DIR),
        "SECRET_KEY": "only-for-a-process-that-does-not-start",
        "CONFLUENCE_LINK_VAULT_KEYS": "k1:short",
        # Nobody listens there; it must not come to that.
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    ended = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "config", program],
        env=environment,
        # Beat leaves a file where it runs.
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode != 0
    assert "CONFLUENCE_LINK_VAULT_KEYS: Key 1" in ended.stderr


def test_a_developer_may_start_without_keys(settings):
    settings.DEBUG = True
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    start("config.wsgi")
