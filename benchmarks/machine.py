"""What it was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import redis
from django.db import connection

if TYPE_CHECKING:
    from benchmarks.bench import Bench

# How careful the database is with what it said is stored.
SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


def describe(bench: Bench) -> dict[str, str | int]:
    broker = redis.Redis.from_url(bench.environment["REDIS_URL"]).info("server")
    version = broker.get("valkey_version") or broker["redis_version"]
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_mib": psutil.virtual_memory().total // 2**20,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "postgresql": _ask("SHOW server_version"),
        **{name: _ask(f"SHOW {name}") for name in SETTINGS},
        "broker": f"{broker.get('server_name', 'redis')} {version}",
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _ask(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return str(cursor.fetchone()[0])
