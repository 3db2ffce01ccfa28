"""The people, apps, clocks and keys of one run of the machine, as good as new."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.management.color import no_style
from django.db import connection

from confluence_link import vault
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    OAuthApp,
    OAuthAppHealth,
    PendingLink,
    SealedTokenSet,
)
from sandbox.faults.presets import PRESETS
from tests import factories, grants
from tests.faults.absent_database import absent_database
from tests.moved_clock import moved_clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from accounts.models import User
    from tests.faults.worker_thread import Worker

CANARY = "CNRY"
# A request that was on its way for long comes when the next one may already begin.
AT_ONCE_SECONDS = 9
_ROWS = (Event, LinkedSite, SealedTokenSet, PendingLink, Grant, OAuthAppHealth)


@dataclass(frozen=True)
class Person:
    user: User
    oauth_app: OAuthApp
    part: Any
    account: str
    decision: dict[str, str]


class World:
    """`chance` is what every throw of a die gives, from 0 to just below 1."""

    def __init__(self, sandbox: Any, settings: Any, logged: Any) -> None:
        self.sandbox, self.settings, self.logged = sandbox, settings, logged
        self.keys: list[str] = list(settings.CONFLUENCE_LINK_VAULT_KEYS)
        self._ring = list(self.keys)
        settings.CONFLUENCE_LINK_VAULT_KEYS = self._ring
        self.spool = settings.CONFLUENCE_LINK_SPOOL_DIR
        self.workers: dict[str, Worker] = {}
        self.twice_at_once: list[float] = []
        self.chance = 0.5

    def populate(self, cloud_app: OAuthApp, data_center_app: OAuthApp) -> None:
        cloud = {"decision": "accept"}
        decisions = [
            (cloud_app, "alice", {**cloud, "account": "alice", "site": "northwind"}),
            (cloud_app, "bob", {**cloud, "account": "bob", "site": "riverside"}),
            (data_center_app, "dora", {"username": "dora", "decision": "allow"}),
        ]
        owner = factories.make_user()
        self.organization = factories.make_organization(owner=owner)
        self.people = [
            self._person(app, account, decision) for app, account, decision in decisions
        ]

    def _person(self, app: OAuthApp, account: str, decision: dict[str, str]) -> Person:
        is_cloud = app.deployment == OAuthApp.Deployment.CLOUD
        part = self.sandbox.cloud if is_cloud else self.sandbox.data_center
        user = factories.make_user()
        factories.join(user, self.organization)
        return Person(user, app, part, account, decision)

    def reset(self) -> None:
        """No grant, no fault, everybody active, all keys."""
        self.use_keys(self.keys)
        for model in _ROWS:
            model.objects.all().delete()
        self._count_from_one()
        for path in self.spool.glob("*"):
            path.unlink()
        self.sandbox.reset()
        self.clock.reset()
        self.twice_at_once.clear()
        for person in self.people:
            self.switch(person, on=True)
            app, secret = person.oauth_app, person.part.client.secrets[0]
            vault.seal_client_secret(app, secret)
            app.save(update_fields=["sealed_client_secret"])
        assert not any(CANARY in line for line in self.logged.text.splitlines())
        self.logged.clear()

    def _count_from_one(self) -> None:
        """What depends on a row's number is the same each time."""
        table = {"table": Grant._meta.db_table, "column": "id"}
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_by_name_sql(no_style(), [table]):
                cursor.execute(sql)

    def link(self, person: Person) -> Grant:
        return grants.link(
            person.part,
            person.oauth_app,
            user=person.user,
            organization=self.organization,
            **person.decision,
        )

    def switch(self, person: Person, *, on: bool) -> None:
        if person.user.is_active != on:
            person.user.is_active = on
            person.user.save(update_fields=["is_active"])

    def use_keys(self, keys: Sequence[str]) -> None:
        # In place: each setting of a setting would lie upon the one before.
        self._ring[:] = keys

    @contextmanager
    def all_keys(self) -> Iterator[None]:
        used = list(self._ring)
        self.use_keys(self.keys)
        try:
            yield
        finally:
            self.use_keys(used)

    def connections(self) -> list[int]:
        """Of the test itself, by the database's number; to be asked in its thread."""
        if connection.vendor != "postgresql":
            return []
        connection.ensure_connection()
        return [connection.connection.info.backend_pid, self.clock.process_id]

    def now(self) -> float:
        return self.sandbox.clock.now()

    def watch(self, store: Any) -> None:
        """Notes when a refresh token was exchanged twice at once."""
        came: dict[str, float] = {}

        ask = type(store).exchangeable

        def exchangeable(value: str) -> Any:
            token, now = ask(store, value), self.now()
            if now - came.get(value, 0) < AT_ONCE_SECONDS:
                self.twice_at_once.append(now)
            came[value] = now
            return token

        store.exchangeable = exchangeable


@contextmanager
def a_world(
    sandbox: Any, settings: Any, logged: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    world = World(sandbox, settings, logged)

    def hold(fault: Any, exchange: Any) -> Any:
        return world.workers[fault.location].hold(fault, exchange)

    monkeypatch.setitem(PRESETS, "held_for_worker", hold)
    monkeypatch.setattr(random.SystemRandom, "random", lambda self: world.chance)
    with ExitStack() as stack:
        world.clock = stack.enter_context(moved_clock(sandbox, monkeypatch))
        for part in sandbox.parts.values():
            world.watch(part.store)
        world.database = stack.enter_context(absent_database())
        yield world
