"""Many grants, quickly: rows as a link makes them, with tokens that the endpoint takes.

Grants get the ids 1 to `count`, one person each, 100 of them in an organization. They
rest until `make_due` says which are due, and when; so one set of grants serves all
measurements, and the table is as large as it would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import connection
from psycopg import sql

from accounts.models import Membership, Organization, User
from benchmarks import tokens
from confluence_link import vault
from confluence_link.models import (
    Grant,
    LinkedSite,
    OAuthApp,
    SealedTokenSet,
    database_now,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.backends.utils import CursorWrapper
    from django.db.models import Field, Model

PER_ORGANIZATION: Final = 100
RESTS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Population:
    """Grants 1 to `count` of one app, none of which is due."""

    oauth_app: OAuthApp
    count: int


def _by_hundreds(number: int) -> int:
    return -(-number // PER_ORGANIZATION)


def populate(oauth_app: OAuthApp, count: int) -> Population:
    """Organizations, people, grants, linked sites and sealed token sets."""
    now = database_now()
    make_grants(oauth_app, count)
    _copy(SealedTokenSet, (_sealed(n, oauth_app, now) for n in _numbers(count)))
    return Population(oauth_app, count)


def make_grants(
    oauth_app: OAuthApp,
    count: int,
    *,
    organization_of: Callable[[int], int] = _by_hundreds,
    due_every: int = 0,
) -> None:
    """Without tokens: for what never asks for one.

    Every so-manieth is due at once, in place: rows that were updated would lie
    together. `organization_of` counts from 1 on.
    """
    now = database_now()
    _copy(Organization, (_organization(n) for n in _numbers(organization_of(count))))
    _copy(User, (_person(n) for n in _numbers(count)))
    _copy(Membership, (_membership(n, organization_of(n)) for n in _numbers(count)))
    grants = (_grant(n, oauth_app, now) for n in _numbers(count))
    _copy(Grant, (_due(one, now) if _is_due(one, due_every) else one for one in grants))
    _copy(LinkedSite, (_linked_site(n, organization_of(n)) for n in _numbers(count)))


def _numbers(count: int) -> Iterable[int]:
    return range(1, count + 1)


def subject(number: int) -> str:
    """How the endpoint knows the grant of this id, in this database and no other."""
    return f"{connection.settings_dict['NAME']}-{number}"


def _public_id(number: int) -> str:
    return f"bench-{number:010}"


def _organization(number: int) -> Organization:
    return Organization(
        pk=number, name=f"Organization {number}", slug=f"organization-{number}"
    )


def _person(number: int) -> User:
    return User(pk=number, email=f"person{number}@example.org", password="!")


def _membership(number: int, organization_id: int) -> Membership:
    return Membership(
        pk=number,
        public_id=_public_id(number),
        organization_id=organization_id,
        user_id=number,
        role=Membership.Role.MEMBER,
    )


def _grant(number: int, oauth_app: OAuthApp, now: datetime) -> Grant:
    return Grant(
        pk=number,
        public_id=_public_id(number),
        oauth_app=oauth_app,
        user_id=number,
        account_id=f"712020:{number:08}-3d5a-4d0e-9d6f-2b1c0a9e8f7d",
        account_name=f"Person {number}",
        scopes=oauth_app.scopes,
        sites=[_site(number)],
        expires_at=now + RESTS + timedelta(minutes=7),
        refresh_at=now + RESTS,
        consented_at=now - timedelta(days=30),
        last_rotated_at=now,
        last_used_at=now,
    )


def _is_due(grant: Grant, due_every: int) -> bool:
    return bool(due_every) and grant.pk % due_every == 0


def _due(grant: Grant, now: datetime) -> Grant:
    """For up to a minute, and used at any time of the last days."""
    grant.refresh_at = now - timedelta(seconds=grant.pk * 7919 % 60_000 / 1000)
    grant.expires_at = grant.refresh_at + timedelta(minutes=7)
    grant.last_used_at = now - timedelta(seconds=grant.pk * 101 % (6 * 86_400))
    return grant


def _site(number: int) -> dict[str, Any]:
    return {
        "site_id": f"{number:08}-7c3d-4f1e-8a2b-5d6e7f809a1b",
        "name": f"Northwind {number}",
        "url": f"https://northwind{number}.atlassian.net/wiki",
        "icon_url": "https://site-admin-avatars-cdn.prod.public.atl-paas.net/avatars"
        "/240/rocket.png",
        "scopes": [
            "read:page:confluence",
            "read:space:confluence",
            "search:confluence",
            "write:page:confluence",
        ],
    }


def _sealed(number: int, oauth_app: OAuthApp, now: datetime) -> SealedTokenSet:
    """As after a refresh, with a predecessor that nobody would take any more."""
    grant = Grant(pk=number, public_id=_public_id(number), oauth_app_id=oauth_app.pk)
    name = subject(number)
    refresh = vault.seal_refresh(grant, tokens.refresh_token(name, 1))
    return SealedTokenSet(
        pk=number,
        grant_id=number,
        access=vault.seal_access(grant, tokens.access_token(name, 1)),
        refresh=refresh,
        previous_refresh=refresh,
        previous_until=now,
        key_id=vault.sealing_key_id(),
    )


def _linked_site(number: int, organization_id: int) -> LinkedSite:
    return LinkedSite(
        pk=number,
        public_id=_public_id(number),
        organization_id=organization_id,
        grant_id=number,
        linked_by_id=number,
        **_site(number),
    )


# Rows made of rows
# ------------------------------------------------------------------------------
# How a row differs from its copies: numbers go on counting, texts get an ending.
_NUMBERS: Final = {"id", "user_id", "organization_id", "grant_id", "linked_by_id"}
_TEXTS: Final = {"slug", "email", "public_id", "account_id", "site_id"}


def multiply(count: int, *, times: int, first_grows: bool = False) -> None:
    """So many times the `count` grants that there are, their tokens left out.

    All of them lie in the order of the first ones, so that what is due does not lie
    together. Each organization is copied, too; or the first one grows instead.
    """
    with connection.cursor() as cursor:
        # Millions of rows need not be checked one by one for what they point to.
        cursor.execute("SET session_replication_role = replica")
        for model in (Organization, User, Membership, Grant, LinkedSite):
            cursor.execute(_copies(model, count, times, first_grows))
            _count(cursor, model)
        cursor.execute("RESET session_replication_role")


def _copies(
    model: type[Model], count: int, times: int, first_grows: bool
) -> sql.Composed:
    names = [str(field.column) for field in model._meta.concrete_fields]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values}"
        " FROM {table}, generate_series(1, {more}) AS n ORDER BY n, id"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        names=sql.SQL(", ").join([sql.Identifier(name) for name in names]),
        values=sql.SQL(", ").join(
            [_copied(name, count, first_grows) for name in names]
        ),
        more=sql.Literal(times - 1),
    )


def _copied(name: str, count: int, first_grows: bool) -> sql.Composable:
    column = sql.Identifier(name)
    if name in _NUMBERS:
        is_first = first_grows and name == "organization_id"
        grows = "CASE {0} WHEN 1 THEN 1 ELSE {0} + n * {1} END"
        words = grows if is_first else "{0} + n * {1}"
        return sql.SQL(words).format(column, sql.Literal(count))
    return sql.SQL("{} || '-' || n").format(column) if name in _TEXTS else column


# PostgreSQL's COPY
# ------------------------------------------------------------------------------
def _copy(model: type[Model], rows: Iterable[Model]) -> None:
    fields = model._meta.concrete_fields
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join([sql.Identifier(str(each.column)) for each in fields]),
    )
    with connection.cursor() as cursor:
        with cursor.copy(copy_in) as copy:
            for row in rows:
                copy.write_row([_value(row, field) for field in fields])
        _count(cursor, model)


def _value(row: Model, field: Field[Any, Any]) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)


def _count(cursor: CursorWrapper, model: type[Model]) -> None:
    """What the database should know of a table that was filled by hand."""
    name = model._meta.db_table
    table = sql.Identifier(name)
    highest = sql.SQL(
        "SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}"
    )
    cursor.execute(highest.format(sql.Literal(name), table))
    cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
