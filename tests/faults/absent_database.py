"""A database that went away under a worker, and comes back when somebody says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from django.db import connection
from django.db.backends.signals import connection_created
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

_ALLOW = sql.SQL("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
# What SQLite waits for a lock before it gives up.
BUSY_MILLISECONDS = 1


class _PostgreSQL:
    """Ends all connections but those of the test itself, and takes no new ones."""

    def __init__(self, server: psycopg.Connection[Any], name: str) -> None:
        self._server, self._name = server, name
        self._is_away = False

    def go_away(self, spared: list[int]) -> None:
        self._is_away = True
        self._allow_connections(False)
        self._server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = %s AND NOT pid = ANY(%s)",
            [self._name, spared],
        )

    def come_back(self) -> None:
        if self._is_away:
            self._is_away = False
            self._allow_connections(True)

    def _allow_connections(self, allowed: bool) -> None:
        self._server.execute(
            _ALLOW.format(name=sql.Identifier(self._name), allowed=allowed)
        )


class _SQLite:
    """Somebody else writes for too long."""

    def __init__(self, other: sqlite3.Connection) -> None:
        self._other = other

    def go_away(self, spared: list[int]) -> None:
        connection_created.connect(_hurry)
        if connection.connection is not None:
            _hurry(connection)
        if not self._other.in_transaction:
            self._other.execute("BEGIN IMMEDIATE")

    def come_back(self) -> None:
        connection_created.disconnect(_hurry)
        self._other.rollback()


def _hurry(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    connection.connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")


@contextmanager
def absent_database() -> Iterator[_PostgreSQL | _SQLite]:
    """`go_away(spared)` leaves connections with these process ids alone."""
    parameters = connection.get_connection_params()
    if connection.vendor == "sqlite":
        with closing(
            sqlite3.connect(
                parameters["database"], check_same_thread=False, isolation_level=None
            )
        ) as other:
            yield _SQLite(other)
        return
    wanted = {
        name: parameters[name]
        for name in ("user", "password", "host", "port")
        if name in parameters
    }
    with psycopg.connect(**wanted, dbname="postgres", autocommit=True) as server:
        database = _PostgreSQL(server, parameters["dbname"])
        try:
            yield database
        finally:
            database.come_back()
