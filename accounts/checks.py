"""System checks of the frame of organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from accounts.isolation import ROLE, is_up
from accounts.models import Organization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper


@register(Tags.database)
def second_wall(
    databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Run by `migrate` and by `check --database default`."""
    return [
        Warning(
            "Row-level security is not in force: the user of DATABASE_URL may not take"
            f" the role {ROLE}.",
            hint="An administrator of the database does it once:"
            f" CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO <that user>;"
            " then run `python manage.py migrate` again.",
            id="accounts.W001",
        )
        for name in databases or ()
        if connections[name].vendor == "postgresql"
        and not is_up(connections[name])
        and _has_policies(connections[name])
    ]


def _has_policies(connection: BaseDatabaseWrapper) -> bool:
    """The very first `migrate` checks before it makes policies, and then the role."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_policy WHERE polrelid = to_regclass(%s))",
            [Organization._meta.db_table],
        )
        return bool(cursor.fetchone()[0])
