"""A connection of a test's own to the PostgreSQL that a URL of Django's names."""

from __future__ import annotations

import environ
import psycopg


def connect(url: str, *, database: str = "") -> psycopg.Connection:
    """Each statement is a transaction; `database` is another one of that server."""
    parts = environ.Env.db_url_config(url)
    return psycopg.connect(
        host=parts["HOST"] or None,
        port=parts["PORT"] or None,
        user=parts["USER"] or None,
        password=parts["PASSWORD"] or None,
        dbname=database or parts["NAME"],
        autocommit=True,
    )


def name_of(url: str) -> str:
    return str(environ.Env.db_url_config(url)["NAME"])
