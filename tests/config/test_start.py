"""Nothing starts in production without usable vault keys (V08)."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import asgi, wsgi
from config.env import BASE_DIR


@pytest.mark.parametrize("entry", [wsgi, asgi])
def test_a_web_server_refuses_to_start_without_keys(settings, entry):
    settings.CONFLUENCE_LINK_VAULT_KEYS = []

    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYS"):
        importlib.reload(entry)


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

    importlib.reload(wsgi)
