"""Databases of our own on the server that is there, and what that server is."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import environ
import psutil
import psycopg
import redis
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator


def connect(url: str, **options: Any) -> psycopg.Connection[Any]:
    """Commits by itself."""
    parts = environ.Env.db_url_config(url)
    return psycopg.connect(
        host=parts["HOST"] or None,
        port=parts["PORT"] or None,
        user=parts["USER"] or None,
        password=parts["PASSWORD"] or None,
        dbname=parts["NAME"],
        autocommit=True,
        **options,
    )


@contextmanager
def own_database(server: str, name: str, *, like: str = "") -> Iterator[str]:
    """An empty one, or one like another, until the end of the block; its URL.

    Nobody may be connected to the other one.
    """
    name = f"bench_{os.getpid()}_{name}"
    identifier = sql.Identifier(name)
    template = sql.Identifier(name_of(like) if like else "template1")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, template)
    with connect(server) as connection:
        connection.execute(create)
        try:
            yield _with_name(server, name)
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier)
            )


def name_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _with_name(server: str, name: str) -> str:
    parts = urlsplit(server)
    path = parts.path.rpartition("/")[0]
    return urlunsplit(parts._replace(path=f"{path}/{name}"))


def postmaster_pid(url: str) -> int:
    """The parent of every process of PostgreSQL."""
    with connect(url) as connection:
        pid = connection.info.backend_pid
        try:
            parent = psutil.Process(pid).parent()
        except psutil.NoSuchProcess:
            parent = None
        if parent is None or "postgres" not in parent.name():
            raise SystemExit("PostgreSQL must run on this machine to be measured.")
        return int(parent.pid)


def broker_pid(url: str) -> int:
    told: dict[str, Any] = redis.Redis.from_url(url).info("server")
    pid = int(told["process_id"])
    try:
        name = psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        name = ""
    if not name.startswith(("valkey", "redis")):
        raise SystemExit("The broker must run on this machine to be measured.")
    return pid
