"""System checks of the frame of organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from accounts.isolation import ROLE, is_up

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        if connections[name].vendor == "postgresql" and not is_up(connections[name])
    ]
