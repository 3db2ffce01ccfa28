"""The second wall between organizations: PostgreSQL's row-level security.

The first wall is that every query is scoped by the organization of the address. Behind
it, whatever a request sends to the database runs as a role to which the policies of
the migrations apply: a forgotten filter finds rows of the one organization that the
request acts for, and of no other.

    acting_for             puts the wall up: for one organization, for one person
    across_organizations   takes it down, for flows that look across by their nature
    WallMiddleware         puts it up for every request outside the admin

The role and the two settings that the policies read are set locally to each
transaction, so that nothing stays on a connection that others use next, be it one of
this process or of a pooler's. Workers, commands and the admin work across
organizations and own the tables, to whom no policy applies. SQLite has no such wall.

Reference: https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import connections
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.http import HttpRequest, HttpResponse

# Made by `make_role`; it may not log in and owns nothing.
ROLE: Final = "confluence_link_tenant"
_TAKE_DOWN: Final = "SET LOCAL ROLE TO DEFAULT"


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose rows are visible. 0 stands for nobody's."""

    organization_id: int = 0
    user_id: int = 0

    @property
    def sql(self) -> str:
        return (
            f"SET LOCAL ROLE {ROLE};"
            f" SET LOCAL confluence_link.organization = '{self.organization_id:d}';"
            f" SET LOCAL confluence_link.person = '{self.user_id:d}'"
        )


# None: no wall.
_scope: ContextVar[_Scope | None] = ContextVar("scope", default=None)


@contextmanager
def acting_for(*, organization_id: int = 0, user_id: int = 0) -> Iterator[None]:
    """Within it, only rows of this organization and this person's own are there."""
    token = _scope.set(_Scope(organization_id, user_id))
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def across_organizations() -> Iterator[None]:
    """Within it there is no wall; also a decorator for whole flows."""
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)


class WallMiddleware:
    """A request sees what is the person's own, until a view says for whom it acts.

    The admin works across organizations.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/"):
            return self._get_response(request)
        # A session says nothing to the API; its keys do, each for one organization.
        is_api = request.path_info.startswith("/api/")
        user_id = 0 if is_api else request.user.pk or 0
        with acting_for(user_id=user_id):
            return self._get_response(request)


# On the connection
# ------------------------------------------------------------------------------
def watch(connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    """Receives every new connection, and tells its statements whom they are for."""
    if connection.vendor != "postgresql":
        return
    # Of the server's own connection: a new one knows nothing of what was said to the
    # one before.
    connection.told = None  # type: ignore[attr-defined]  # ours, kept where it belongs
    if _walled not in connection.execute_wrappers:
        connection.execute_wrappers.append(_walled)


connection_created.connect(watch, dispatch_uid="accounts.isolation")


def _walled(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
) -> Any:
    connection, scope = context["connection"], _scope.get()
    raw = connection.connection
    # psycopg's words: IDLE is outside any transaction, INERROR in a failed one.
    status = raw.info.transaction_status.name
    if raw.autocommit and status == "IDLE":
        if scope is None or not _has_role(connection):
            return execute(sql, params, many, context)
        return _in_transaction(
            connection, scope, lambda: execute(sql, params, many, context)
        )
    if status == "IDLE":
        connection.told = None
    if scope != connection.told and status != "INERROR" and _has_role(connection):
        _say(connection, scope.sql if scope else _TAKE_DOWN)
        connection.told = scope
    try:
        return execute(sql, params, many, context)
    finally:
        if sql.startswith("ROLLBACK TO"):
            # What was said since the savepoint is forgotten there, too.
            connection.told = _Scope(-1, -1)


def _in_transaction(
    connection: BaseDatabaseWrapper, scope: _Scope, execute: Callable[[], Any]
) -> Any:
    """One statement of its own in a transaction that knows whom it is for."""
    _say(connection, f"BEGIN; {scope.sql}")
    try:
        result = execute()
    except BaseException:
        raw: Any = connection.connection
        if not raw.closed:
            _say(connection, "ROLLBACK")
        raise
    _say(connection, "COMMIT")
    return result


def _say(connection: BaseDatabaseWrapper, sql: str) -> None:
    """What fails here is an error of Django's, as in a statement without the wall."""
    raw: Any = connection.connection
    with connection.wrap_database_errors:
        raw.execute(sql)


def _has_role(connection: BaseDatabaseWrapper) -> bool:
    """Whether this connection may take the role. Without it there is no wall.

    The check `accounts.W001` tells operators.
    """
    raw: Any = connection.connection
    if not hasattr(connection, "has_role"):
        with connection.wrap_database_errors:
            found = raw.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s"
                " AND pg_has_role(session_user, oid, CASE"
                " WHEN current_setting('server_version_num')::int >= 160000"
                " THEN 'SET' ELSE 'MEMBER' END)",
                [ROLE],
            ).fetchone()
        connection.has_role = bool(found)  # type: ignore[attr-defined]  # ours
    return bool(connection.has_role)  # type: ignore[attr-defined]  # set above


# Making it
# ------------------------------------------------------------------------------
def make_role(using: str, **kwargs: object) -> None:
    """Receives `post_migrate`: the role exists and may use every table.

    It needs the right to create roles once; without it nothing is made, and an
    administrator of the database does it (docs/operations.md).
    """
    if connections[using].vendor != "postgresql":
        return
    with connections[using].cursor() as cursor:
        cursor.execute(_MAKE_ROLE)


_MAKE_ROLE: Final = f"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        BEGIN
            CREATE ROLE {ROLE} NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN RETURN;
        END;
    END IF;
    -- A superuser may take any. Since PostgreSQL 16, whoever makes a role is a member
    -- of it who may not take it.
    IF NOT current_setting('is_superuser')::boolean THEN
        BEGIN
            EXECUTE format('GRANT {ROLE} TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN NULL;
        END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {ROLE}', current_schema());
    EXECUTE format(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {ROLE}',
        current_schema()
    );
    EXECUTE format(
        'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %I TO {ROLE}',
        current_schema()
    );
END
$$
"""


def is_up(connection: BaseDatabaseWrapper) -> bool:
    """Whether this installation has the second wall: SQLite has none."""
    if connection.vendor != "postgresql":
        return False
    connection.ensure_connection()
    return _has_role(connection)
