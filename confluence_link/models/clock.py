"""The database's clock, the only one that times are compared with (design 6, I7)."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """The time of the database at this statement, in UTC.

    Reference: https://www.postgresql.org/docs/current/functions-datetime.html
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT statement_timestamp()")
            now: datetime = cursor.fetchone()[0]
            return now.astimezone(UTC)
        cursor.execute("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", None)
        return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
