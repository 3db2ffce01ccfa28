"""Compares the rows and the other side with what the reference model allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from confluence_link import vault
from confluence_link.models import Grant, OAuthApp, SealedTokenSet, database_now
from sandbox.oauth.grants import Refusal
from tests.faults.reference_model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from confluence_link.tokens import AccessToken
    from tests.faults.reference_model import ReferenceGrant
    from tests.faults.worker_thread import Worker
    from tests.faults.world import Person, World


class Inspection:
    def __init__(
        self,
        world: World,
        people: Sequence[Person],
        ids: Sequence[int],
        models: Sequence[ReferenceGrant],
    ) -> None:
        self.world, self.people, self.ids, self.models = world, people, ids, models
        self.highest: dict[int, tuple[int, int]] = {}
        self.tokens: dict[tuple[int, int, int], str] = {}
        # Of the worker that stands still with them.
        self.leases: dict[str, dict[int, Grant]] = {}
        self.is_held = False

    def check(self, workers: Iterable[Worker]) -> None:
        assert not self.world.twice_at_once
        standing = [worker for worker in workers if worker.where]
        # Somebody has an answer that is not stored yet.
        self.is_held = bool(standing) or any(self.world.spool.glob("*"))
        rows = Grant.objects.in_bulk(self.ids)
        sealed = SealedTokenSet.objects.in_bulk(self.ids, field_name="grant_id")
        for number, pk in enumerate(self.ids):
            with self.world.all_keys():
                self._check_one(number, rows[pk], sealed.get(pk))
        for worker in standing:
            self._check_leases(worker, rows)

    def _check_one(
        self, number: int, row: Grant, sealed: SealedTokenSet | None
    ) -> None:
        model, now = self.models[number], self.world.now()
        version = (row.epoch, row.generation)
        assert version >= self.highest.get(row.pk, version), "went back"
        assert row.generation >= self.highest.get(row.pk, version)[1], "went back"
        self.highest[row.pk] = version
        assert (sealed is not None) == model.is_linked
        if sealed is not None:
            self._check_sealed(row, sealed)
            self._observe(number, row)
        assert row.status in model.statuses(now), row.status
        if row.status == Status.RECONNECT_NEEDED:
            assert row.death_reason in model.reasons(), row.death_reason
        if model.is_linked and not model.is_ended and model.is_lost(now):
            assert model.is_excused() or self.is_held, "lost without an excuse"

    def _check_sealed(self, row: Grant, sealed: SealedTokenSet) -> None:
        access = vault.open_access(row, sealed.access)
        refresh = vault.open_refresh(row, sealed.refresh)
        same = self.tokens.setdefault((row.pk, row.epoch, row.generation), refresh)
        assert same == refresh, "another token, and no new generation"
        keys = {vault.key_id_of(each) for each in (sealed.access, sealed.refresh)}
        assert keys == {sealed.key_id}
        assert access or row.last_error, "no access token, and nobody knows"
        if sealed.previous_refresh:
            before = Grant(
                pk=row.pk,
                public_id=row.public_id,
                oauth_app_id=row.oauth_app_id,
                epoch=row.epoch,
                generation=row.generation - 1,
            )
            retired = vault.open_refresh(before, sealed.previous_refresh)
            known = (row.pk, row.epoch, row.generation - 1)
            assert retired == self.tokens.get(known, retired)

    def _observe(self, number: int, row: Grant) -> None:
        """What became of the token that we have."""
        store = self.people[number].part.store
        token = store.refresh_tokens[self.tokens[row.pk, row.epoch, row.generation]]
        self.models[number].observe(
            token.retired_at, token.family.ended is Refusal.REUSED
        )
        if token.retired_at is None:
            return
        assert row.uncertain_since is not None, "sent, and nobody knows"
        ago = database_now() - row.uncertain_since
        assert ago.total_seconds() >= self.world.now() - token.retired_at - 1

    def note_leases(self, worker: Worker) -> None:
        """To be called when it just came to stand still."""
        others = {
            grant.lease_id
            for name, leases in self.leases.items()
            if name != worker.name
            for grant in leases.values()
        }
        live = Grant.objects.filter(lease_until__gt=database_now())
        self.leases[worker.name] = {
            grant.pk: grant
            for grant in live.exclude(lease_id__in=others)
            if worker.where and grant.lease_id is not None
        }

    def note_unread(self, worker: Worker) -> None:
        """Before it is killed, or before what it waits for comes too late.

        Of a batch, the other answers may still be in its memory. What it has just
        stored is leased no longer, so whatever still is, is one of those.
        """
        leases = self.leases.get(worker.name, {})
        has_unread = worker.where in {"sent", "processed", "answered", "stored"}
        if has_unread or (worker.where and len(leases) > 1):
            for pk in leases:
                self.models[self.ids.index(pk)].is_unread = True

    def _check_leases(self, worker: Worker, rows: dict[int, Grant]) -> None:
        """Nobody takes a lease over that is not over."""
        now = database_now()
        for pk, leased in self.leases.get(worker.name, {}).items():
            assert leased.lease_until is not None
            if leased.lease_until > now and rows[pk].epoch == leased.epoch:
                assert rows[pk].lease_id == leased.lease_id, "two live leases"

    # Handed out
    # --------------------------------------------------------------------------
    def check_handed_out(self, number: int, token: AccessToken) -> None:
        model, now = self.models[number], self.world.now()
        row = Grant.objects.get(pk=self.ids[number])
        sealed = SealedTokenSet.objects.get(grant_id=row.pk)
        with self.world.all_keys():
            self._check_one(number, row, sealed)
        if model.lives(now) and model.in_doubt_since is None:
            there = self.people[number].part.store.access_tokens[token.value]
            assert not there.is_expired()
            assert there.family.ended is None
        assert token.expires_at > database_now()

    def check_nothing_to_hand_out(self, row: Grant) -> None:
        assert row.expires_at <= database_now()

    def check_works(self, number: int) -> None:
        person = self.people[number]
        row = Grant.objects.get(pk=self.ids[number])
        sealed = SealedTokenSet.objects.get(grant_id=row.pk)
        is_cloud = person.oauth_app.deployment == OAuthApp.Deployment.CLOUD
        path = "/me" if is_cloud else "/rest/api/user/current"
        answer = requests.get(
            person.part.url + path,
            headers={
                "Authorization": f"Bearer {vault.open_access(row, sealed.access)}"
            },
            timeout=5,
        )
        assert answer.status_code == 200
