"""Everything that an installation leaves behind, as bytes to be searched."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import redis
from psycopg import sql

from tests.databases import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installation import Installation
    from tests.sandbox_process import SandboxProcess

# Django's sessions are signed and may be compressed: they are read as it reads them.
_SESSIONS = """
from django.contrib.sessions.models import Session
for row in Session.objects.all():
    print(row.get_decoded())
"""


def traces(made: Installation, box: SandboxProcess) -> Iterator[tuple[str, bytes]]:
    """Place and content: database, broker, logs, mails, sessions, files."""
    yield "sessions", made.manage("shell", "-c", _SESSIONS).encode()
    yield from traces_without_sessions(made, box)


def traces_without_sessions(
    made: Installation, box: SandboxProcess
) -> Iterator[tuple[str, bytes]]:
    """What needs no process of its own to be read."""
    yield from _database(made.environment["DATABASE_URL"])
    yield from _redis(made.environment["REDIS_URL"])
    for mail in box.mails():
        yield "mails", str(mail).encode()
    for path in made.directory.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(made.directory)), _content(path)


def _content(path: Path) -> bytes:
    """Read by another process: where a test has SQLite's file open, closing it a second
    time takes the locks away. What was removed meanwhile is empty.

    Reference: https://www.sqlite.org/howtocorrupt.html section 2.2
    """
    return subprocess.run(["cat", path], check=False, capture_output=True).stdout


def _database(url: str) -> Iterator[tuple[str, bytes]]:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield "database", "\n".join(connection.iterdump()).encode()
        return
    with connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
            with connection.cursor().copy(query) as copy:
                yield f"table {table}", b"".join(bytes(part) for part in copy)


def _redis(url: str) -> Iterator[tuple[str, bytes]]:
    assert urlsplit(url).hostname == "127.0.0.1"
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter():
            kind = client.type(key)
            read = {
                b"string": client.get,
                b"list": lambda key: client.lrange(key, 0, -1),
                b"hash": client.hgetall,
                b"set": client.smembers,
                b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
            }[kind]
            yield f"redis {key!r}", key + repr(read(key)).encode()
