"""Time that passes for everybody at once: the database, the sandbox and ourselves.

`grants.seconds_pass` moves the rows instead. That is enough while nobody remembers a
time; a worker that was stopped half-way does.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection
from django.db.backends.signals import connection_created
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

# Found before those of PostgreSQL itself; SQL's CURRENT_TIMESTAMP stays as it is.
FUNCTIONS = ("statement_timestamp", "clock_timestamp", "transaction_timestamp", "now")
_INSTALL = (
    "CREATE SCHEMA moved_clock",
    "CREATE TABLE moved_clock.moved (by interval NOT NULL)",
    "INSERT INTO moved_clock.moved VALUES ('0')",
)
_FUNCTION = sql.SQL(
    "CREATE FUNCTION moved_clock.{name}() RETURNS timestamptz STABLE LANGUAGE sql"
    " RETURN pg_catalog.{name}() + (SELECT by FROM moved_clock.moved)"
)
_FOUND_FIRST = sql.SQL(
    "ALTER DATABASE {name} SET search_path = moved_clock, pg_catalog, public"
)
_FORGOTTEN = sql.SQL("ALTER DATABASE {name} RESET search_path")


class MovedClock:
    """Seconds since `reset`, beyond those that really passed."""

    def __init__(self, sandbox: Any) -> None:
        self.offset_seconds = 0.0
        self._sandbox = sandbox

    def advance(self, seconds: float) -> None:
        self._move(self.offset_seconds + seconds)
        self._sandbox.clock.advance(seconds)

    def reset(self) -> None:
        """To be called together with the sandbox's own."""
        self._move(0.0)

    def monotonic(self) -> float:
        return time.monotonic() + self.offset_seconds

    def _move(self, seconds: float) -> None:
        self.offset_seconds = seconds


class _PostgreSQL(MovedClock):
    """Functions of the same names that are found first, and a row that they read."""

    def __init__(self, sandbox: Any, server: psycopg.Connection[Any]) -> None:
        super().__init__(sandbox)
        self._server = server
        self._name = sql.Identifier(server.info.dbname)

    @property
    def process_id(self) -> int:
        """Of the connection that moves it."""
        return self._server.info.backend_pid

    def install(self) -> None:
        with self._server.transaction():
            for statement in _INSTALL:
                self._server.execute(statement)
            for name in FUNCTIONS:
                self._server.execute(_FUNCTION.format(name=sql.Identifier(name)))
            self._server.execute(_FOUND_FIRST.format(name=self._name))
        connection.close()

    def remove(self) -> None:
        connection.close()
        self._server.execute(_FORGOTTEN.format(name=self._name))
        self._server.execute("DROP SCHEMA moved_clock CASCADE")

    def _move(self, seconds: float) -> None:
        super()._move(seconds)
        self._server.execute(
            "UPDATE moved_clock.moved SET by = make_interval(secs => %s)", [seconds]
        )


class _SQLite(MovedClock):
    """Its own function is replaced on every connection."""

    def install(self) -> None:
        connection_created.connect(self._connected)
        connection.close()

    def remove(self) -> None:
        connection_created.disconnect(self._connected)
        connection.close()

    def _connected(self, connection: Any, **kwargs: object) -> None:
        raw: sqlite3.Connection = connection.connection
        raw.create_function("strftime", 2, self._strftime)

    def _strftime(self, form: str, moment: str) -> str:
        assert (form, moment) == ("%Y-%m-%d %H:%M:%f", "now")
        now = datetime.now(UTC) + timedelta(seconds=self.offset_seconds)
        return now.strftime("%Y-%m-%d %H:%M:%S.") + f"{now.microsecond // 1000:03d}"


@contextmanager
def moved_clock(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedClock]:
    """Needs a test with transactions of its own: connections are closed.

    Whoever of ours sleeps lets the time pass for everybody, and goes on at once.
    """
    with _clock(sandbox) as clock:
        shim = SimpleNamespace(monotonic=clock.monotonic, sleep=clock.advance)
        for name, module in list(sys.modules.items()):
            ours = name.startswith("confluence_link.")
            if ours and getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", shim)
        clock.install()
        try:
            yield clock
        finally:
            clock.remove()


@contextmanager
def _clock(sandbox: Any) -> Iterator[_PostgreSQL | _SQLite]:
    if connection.vendor != "postgresql":
        yield _SQLite(sandbox)
        return
    parameters = connection.get_connection_params()
    wanted = {
        name: parameters[name]
        for name in ("dbname", "user", "password", "host", "port")
        if name in parameters
    }
    with closing(psycopg.connect(**wanted, autocommit=True)) as server:
        yield _PostgreSQL(sandbox, server)
