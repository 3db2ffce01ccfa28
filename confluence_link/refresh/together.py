"""Plain answers stored together: one statement, one commit, whatever their number.

The same fence as `store`, as SQL for PostgreSQL with its parameters bound on the
server: Django's cursor would write every sealed token into the statement's text, in
hexadecimal. Whatever is not plain, or was fenced off here, goes through `store`, and
so does everything on SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from confluence_link import atlassian, vault
from confluence_link.models import Grant, SealedTokenSet
from confluence_link.refresh import idle

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence
    from datetime import datetime

    from confluence_link.refresh.claim import Leased
    from confluence_link.tokens import TokenSet

_GRANT: Final = Grant._meta.db_table
_SEALED: Final = SealedTokenSet._meta.db_table
# A statement that PostgreSQL has planned before costs a third.
_PREPARED_AFTER: Final = 5

# The other columns that a success clears are clear in a plain one already.
_STORE: Final = f"""WITH answer AS MATERIALIZED (
    SELECT *, %b::timestamptz AS asked_at FROM unnest(
        %t::bigint[], %t::int[], %t::int[], %b::bytea[], %b::bytea[],
        %t::int[], %t::int[], %t::int[]
    ) AS answer (
        grant_id, epoch, generation, access, refresh,
        expires_in_seconds, refresh_in_seconds, leeway_seconds
    )
), renewed AS (
    UPDATE {_GRANT} AS held SET
        generation = held.generation + 1,
        expires_at = asked_at + expires_in_seconds * interval '1 second',
        refresh_at = asked_at + refresh_in_seconds * interval '1 second',
        last_rotated_at = asked_at,
        lease_id = NULL,
        lease_until = NULL,
        queued_until = NULL,
        attempt = 0,
        uncertain_since = NULL
    FROM answer
    WHERE held.id = answer.grant_id AND held.lease_id = %b
        AND held.epoch = answer.epoch AND held.generation = answer.generation
        AND held.status = 'active'
    RETURNING held.id
)
UPDATE {_SEALED} AS sealed SET
    access = answer.access,
    refresh = answer.refresh,
    previous_refresh = sealed.refresh,
    previous_until = asked_at + leeway_seconds * interval '1 second',
    key_id = %b
FROM answer JOIN renewed ON renewed.id = answer.grant_id
WHERE sealed.grant_id = answer.grant_id
RETURNING sealed.grant_id
"""  # noqa: S608  # the names of two tables of ours


class _Row(NamedTuple):
    """One answer, sealed, in the order of the statement's arrays."""

    grant_id: int
    epoch: int
    generation: int
    access: bytes
    refresh: bytes
    expires_in_seconds: int
    refresh_in_seconds: int
    leeway_seconds: int


def store_together(
    lease_id: uuid.UUID, answers: Sequence[tuple[Leased, TokenSet]]
) -> set[int]:
    """Commits the successors of plain answers; the ids of the grants that have theirs.

    Raises VaultError, and what the database raises; then nothing is stored.
    """
    if connection.vendor != "postgresql":
        return set()
    plain = [(leased, found) for leased, found in answers if is_plain(leased, found)]
    if not plain:
        return set()
    # One lease, one time.
    asked_at = plain[0][0].asked_at
    # In the order of their keys, in which everybody locks who locks several.
    rows = sorted(_row(leased, found, asked_at) for leased, found in plain)
    columns = [_array(column) for column in zip(*rows, strict=True)]
    connection.ensure_connection()
    # A statement of its own is a transaction of its own; the lease before it was
    # durable, so there is none around.
    with CursorWrapper(
        psycopg.Cursor(_with_plans(connection.connection)), connection
    ) as cursor:
        cursor.execute(_STORE, [asked_at, *columns, lease_id, vault.sealing_key_id()])
        return {grant_id for (grant_id,) in cursor.fetchall()}


def _array(column: Sequence[object]) -> str | list[object]:
    """Numbers as PostgreSQL writes an array: psycopg would look at each of them."""
    if isinstance(column[0], int):
        return "{" + ",".join(map(str, column)) + "}"
    return list(column)


def is_plain(leased: Leased, token_set: TokenSet) -> bool:
    """Whether it follows a success, and brings nothing to tell or to change."""
    held = leased.held
    return bool(
        token_set.access_token
        and held.status == Grant.Status.ACTIVE
        and not held.last_error
        and not held.consecutive_failures
        and (token_set.scopes is None or set(token_set.scopes) == set(held.scopes))
    )


def _row(leased: Leased, token_set: TokenSet, asked_at: datetime) -> _Row:
    held = leased.held
    refresh_token = token_set.refresh_token or leased.refresh_token
    refresh_at = idle.next_refresh_at(
        held, asked_at=asked_at, expires_in_seconds=token_set.expires_in_seconds
    )
    successor = held.generation + 1
    return _Row(
        grant_id=held.pk,
        epoch=held.epoch,
        generation=held.generation,
        access=vault.seal_access(held, token_set.access_token, generation=successor),
        refresh=vault.seal_refresh(held, refresh_token, generation=successor),
        expires_in_seconds=token_set.expires_in_seconds,
        refresh_in_seconds=int((refresh_at - asked_at).total_seconds()),
        leeway_seconds=atlassian.deployment_for(held.oauth_app).leeway_seconds,
    )


def _with_plans(raw: psycopg.Connection) -> psycopg.Connection:
    """A pooler between may not know prepared statements; then it is switched off."""
    may = settings.CONFLUENCE_LINK_PREPARED_STATEMENTS
    raw.prepare_threshold = _PREPARED_AFTER if may else None
    return raw
