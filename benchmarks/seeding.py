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
    from collections.abc import Iterable

    from django.db.models import Field, Model

PER_ORGANIZATION: Final = 100
CHUNK: Final = 5_000
RESTS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Population:
    """Grants 1 to `count` of one app, none of which is due."""

    oauth_app: OAuthApp
    count: int


def populate(oauth_app: OAuthApp, count: int) -> Population:
    """Organizations, people, grants, sealed token sets and linked sites."""
    now = database_now()
    organizations = -(-count // PER_ORGANIZATION)
    _copy(Organization, (_organization(n) for n in _numbers(organizations)))
    _copy(User, (_person(n) for n in _numbers(count)))
    _copy(Membership, (_membership(n) for n in _numbers(count)))
    _copy(Grant, (_grant(n, oauth_app, now) for n in _numbers(count)))
    _copy(SealedTokenSet, (_sealed(n, oauth_app) for n in _numbers(count)))
    _copy(LinkedSite, (_linked_site(n, now) for n in _numbers(count)))
    return Population(oauth_app, count)


def _numbers(count: int) -> Iterable[int]:
    return range(1, count + 1)


def subject(number: int) -> str:
    """How the endpoint knows the grant of this id."""
    return f"grant{number}"


def _public_id(number: int) -> str:
    return f"bench-{number:010}"


def _organization_id(number: int) -> int:
    return (number - 1) // PER_ORGANIZATION + 1


def _organization(number: int) -> Organization:
    return Organization(
        pk=number, name=f"Organization {number}", slug=f"organization-{number}"
    )


def _person(number: int) -> User:
    return User(pk=number, email=f"person{number}@example.org", password="!")


def _membership(number: int) -> Membership:
    return Membership(
        pk=number,
        public_id=_public_id(number),
        organization_id=_organization_id(number),
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


def _sealed(number: int, oauth_app: OAuthApp) -> SealedTokenSet:
    """As after a refresh that was stored: of generation 1, without a predecessor."""
    grant = Grant(pk=number, public_id=_public_id(number), oauth_app_id=oauth_app.pk)
    name = subject(number)
    return SealedTokenSet(
        pk=number,
        grant_id=number,
        access=vault.seal_access(grant, tokens.access_token(name, 1)),
        refresh=vault.seal_refresh(grant, tokens.refresh_token(name, 1)),
        key_id=vault.sealing_key_id(),
    )


def _linked_site(number: int, now: datetime) -> LinkedSite:
    site = _site(number)
    return LinkedSite(
        pk=number,
        public_id=_public_id(number),
        organization_id=_organization_id(number),
        grant_id=number,
        linked_by_id=number,
        **site,
    )


# PostgreSQL's COPY
# ------------------------------------------------------------------------------
def _copy(model: type[Model], rows: Iterable[Model]) -> None:
    """All rows, and what the database should know about them afterwards."""
    fields = model._meta.concrete_fields
    table = sql.Identifier(model._meta.db_table)
    names = sql.SQL(", ").join([sql.Identifier(str(each.column)) for each in fields])
    copy_in = sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)
    count_ids = sql.SQL(
        "SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}"
    ).format(sql.Literal(model._meta.db_table), table)
    with connection.cursor() as cursor:
        with cursor.copy(copy_in) as copy:
            for row in rows:
                copy.write_row([_value(row, field) for field in fields])
        cursor.execute(count_ids)
        cursor.execute(sql.SQL("ANALYZE {}").format(table))


def _value(row: Model, field: Field[Any, Any]) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)
