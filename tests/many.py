"""Many rows at once, and no network: for lists, numbers and large organizations."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from accounts.models import Membership, User
from confluence_link import tallies
from confluence_link.models import Event, Grant, LinkedSite, database_now
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import Model

    from accounts.models import Organization
    from confluence_link.models import OAuthApp

BATCH = 2000

_numbers = itertools.count(1)


def links(
    organization: Organization,
    user: User,
    count: int = 1,
    *,
    app: OAuthApp | None = None,
    site: dict[str, Any] | None = None,
    **fields: Any,
) -> list[LinkedSite]:
    """Linked sites with a grant each; `fields` are the grants', `site` the sites'."""
    app = app or factories.make_oauth_app()
    factories.join(user, organization)
    now = database_now()
    values = {
        "account_name": "Alice Adams",
        "expires_at": now + timedelta(hours=1),
        "refresh_at": now + timedelta(minutes=50),
        "consented_at": now - timedelta(days=10),
        "last_rotated_at": now - timedelta(minutes=4),
        **fields,
    }
    numbers = [next(_numbers) for _ in range(count)]
    grants = Grant.objects.bulk_create(
        [
            Grant(oauth_app=app, user=user, account_id=f"account-{number}", **values)
            for number in numbers
        ],
        batch_size=BATCH,
    )
    sites = LinkedSite.objects.bulk_create(
        [
            LinkedSite(
                **{
                    "organization": organization,
                    "grant": grant,
                    "site_id": f"site-{number}",
                    "name": f"Site {number:06}",
                    "url": "https://northwind.example.net/wiki",
                    "linked_by": user,
                    **(site or {}),
                }
            )
            for number, grant in zip(numbers, grants, strict=True)
        ],
        batch_size=BATCH,
    )
    # Before whatever happens to them: the database's clock has fewer digits.
    made = LinkedSite.objects.filter(pk__gte=sites[0].pk)
    made.update(created_at=now - timedelta(days=10))
    count_rows(Grant, LinkedSite)
    return sites


def members(organization: Organization, count: int) -> list[User]:
    """Members who cannot sign in."""
    people = User.objects.bulk_create(
        [User(email=f"member{next(_numbers)}@example.org") for _ in range(count)],
        batch_size=BATCH,
    )
    Membership.objects.bulk_create(
        [Membership(organization=organization, user=user) for user in people],
        batch_size=BATCH,
    )
    count_rows(User, Membership)
    return people


def events(sites: Iterable[LinkedSite], kind: Event.Kind, **fields: Any) -> None:
    """One event for each of the sites' grants, at this moment."""
    at = fields.pop("at", None) or database_now()
    Event.objects.bulk_create(
        [Event(at=at, kind=kind, grant_id=site.grant_id, **fields) for site in sites],
        batch_size=BATCH,
    )
    count_rows(Event)


def refreshed(sites: Iterable[LinkedSite]) -> None:
    """As if each of the sites' grants had been refreshed just now."""
    tallies.count_refreshed([site.grant_id for site in sites])
    if connection.vendor == "postgresql":
        # Its short wait for locks is for its own transaction, which may be the test's.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def count_rows(*models: type[Model]) -> None:
    """As the database does by itself after a while.

    Until then it takes a table for the small one that it was, and may read it through
    for every row of another.
    """
    with connection.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {model._meta.db_table}")


# A hundred thousand: rows that the database makes of one row
# ------------------------------------------------------------------------------
COUNTING = (
    "(WITH RECURSIVE counting(n) AS (VALUES (1) UNION ALL"
    " SELECT n + 1 FROM counting WHERE n < %s) SELECT n FROM counting) AS numbers"
)


def copies(row: Model, count: int, **columns: str) -> None:
    """As many rows like this one; `columns` are SQL, in which `n` counts from 1."""
    _insert(row, COUNTING, columns, count)


def copies_for(row: Model, parents: type[Model], where: str, **columns: str) -> None:
    """A row like this one for each of `parents`, whose columns are `parent.…`."""
    parent = " ".join((parents._meta.db_table, "AS parent WHERE", where))
    _insert(row, parent, columns)


def _insert(
    row: Model, crossed_with: str, columns: Mapping[str, str], *parameters: int
) -> None:
    table = row._meta.db_table
    names = [
        field.column for field in row._meta.concrete_fields if not field.primary_key
    ]
    chosen = [columns.get(name, f'template."{name}"') for name in names]
    template = ("(SELECT * FROM", table, "WHERE id = %s) AS template")
    words = (
        *("INSERT INTO", table, "(", ", ".join(f'"{name}"' for name in names), ")"),
        *("SELECT", ", ".join(chosen), "FROM", *template, "CROSS JOIN", crossed_with),
    )
    with connection.cursor() as cursor:
        cursor.execute(" ".join(words), [row.pk, *parameters])
    count_rows(type(row))
