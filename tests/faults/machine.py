"""People, providers, brokers, databases and workers do what they like; we keep grants.

Time, chance and the order of everything are the machine's; the engine runs as it is,
in threads that stop at its failpoints or with their request on the way.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from confluence_link import errors, handoff, linking, refresh, resealing
from confluence_link.models import Grant
from confluence_link.refresh import Outcome
from tests.faults.inspection import Inspection
from tests.faults.reference_model import ReferenceGrant, Status
from tests.faults.working import NUMBERS, WorkersMachine

CHANCES = st.sampled_from([0.0, 0.5, 0.999])
# Around every gap, lease and leeway that there is.
SECONDS = st.sampled_from([10, 31, 61, 76, 121, 300, 590, 610, 1200, 2400])
OUTAGES = st.sampled_from(
    [
        "server_error",
        "unavailable",
        "rate_limited",
        "blocked",
        "wrong_secret",
        "drop_before",
        "drop_after",
        "cut_off",
        "refresh_token_only",
        "invalid_grant",
    ]
)
# Longer, it is hardly told from the truth where there are few grants.
INCIDENT_SECONDS = 12 * 60
TICK_SECONDS = 20


class RefreshMachine(WorkersMachine):
    def __init__(self) -> None:
        super().__init__()
        self.incidents: set[str] = set()
        self.is_key_missing = False

    @initialize(
        numbers=st.sampled_from([[0], [0, 1], [2], [0, 2], [0, 1, 2]]),
        reuse=st.sampled_from(["siblings", "last_wins", "idempotent"]),
        chance=CHANCES,
        life_seconds=st.sampled_from([3600.0, 300.0]),
    )
    def begin(
        self, numbers: list[int], reuse: str, chance: float, life_seconds: float
    ) -> None:
        self.world.reset()
        self.world.chance = chance
        for part in self.world.sandbox.parts.values():
            part.behaviour.change({"access_token_seconds": life_seconds})
        self.world.sandbox.cloud.behaviour.change({"reuse": reuse})
        self.people = [self.world.people[number] for number in numbers]
        self.ids = [self.world.link(person).pk for person in self.people]
        self.models = [
            ReferenceGrant(person.part.behaviour.leeway_seconds)
            for person in self.people
        ]
        self.inspection = Inspection(self.world, self.people, self.ids, self.models)
        self.seconds_seen = self.world.now()

    # Time
    # --------------------------------------------------------------------------
    @rule(seconds=SECONDS)
    def nobody_works(self, seconds: int) -> None:
        self.world.clock.advance(seconds)

    @rule(ticks=st.integers(3, 30))
    def service_runs(self, ticks: int) -> None:
        """Beat and a worker, as they should."""
        for _ in range(ticks):
            self.tick(TICK_SECONDS)

    def tick(self, seconds: float) -> None:
        self.count_hindered(is_served=False)
        self.world.clock.advance(seconds)
        self.count_hindered(is_served=True)
        self.end_incidents()
        messages: list[list[int]] = []
        refresh.sweep(enqueue=lambda ids, *_, **__: messages.append(ids))
        for ids in messages:
            refresh.refresh_batch(ids)
        self.inspection.check(self.workers.values())

    def count_hindered(self, *, is_served: bool) -> None:
        seconds = self.world.now() - self.seconds_seen
        self.seconds_seen += seconds
        for person, model in zip(self.people, self.models, strict=True):
            is_well = person.part.name not in self.outages and not self.is_key_missing
            if not (is_served and is_well and not model.is_paused):
                model.hindered_seconds += seconds

    # The other side
    # --------------------------------------------------------------------------
    @rule(number=NUMBERS, preset=OUTAGES)
    def outage_begins(self, number: int, preset: str) -> None:
        _, part = self.pick(number)
        if preset == "invalid_grant":
            if part.name in self.incidents:
                return
            self.incidents.add(part.name)
            self.incident_ends_at = self.world.now() + INCIDENT_SECONDS
        self.outages[part.name] = preset
        self.apply_outage(part)

    @rule(number=NUMBERS)
    def outage_ends(self, number: int) -> None:
        _, part = self.pick(number)
        self.outages.pop(part.name, None)
        self.apply_outage(part)

    def end_incidents(self) -> None:
        for part in self.world.sandbox.parts.values():
            is_over = self.outages.get(part.name) == "invalid_grant"
            if is_over and self.world.now() > self.incident_ends_at:
                del self.outages[part.name]
                self.apply_outage(part)

    # People here, and operators
    # --------------------------------------------------------------------------
    @rule(number=NUMBERS)
    def link(self, number: int) -> None:
        number %= len(self.ids)
        with suppress(errors.LinkRefused):
            self.world.link(self.people[number])
            self.models[number].consent()

    @rule(number=NUMBERS, act=st.sampled_from(["end", "unlink", "leave", "return"]))
    def person_acts(self, number: int, act: str) -> None:
        number %= len(self.ids)
        person, model = self.people[number], self.models[number]
        if act == "end":
            person.part.revoke(person.account)
            model.is_ended = True
        elif act == "unlink":
            grant = Grant.objects.get(pk=self.ids[number])
            for linked_site in grant.linked_sites.all():
                linking.unlink(linked_site=linked_site, actor=person.user)
            model.is_linked = False
        else:
            model.is_paused = act == "leave"
            self.world.switch(person, on=not model.is_paused)

    @rule(key=st.sampled_from([0, 1, None]), turned=st.booleans(), moves=st.booleans())
    def operator_changes_keys(self, key: int | None, turned: bool, moves: bool) -> None:
        """One of them is lost, or both are there."""
        self.is_key_missing = key is not None
        kept = self.world.keys if key is None else [self.world.keys[key]]
        self.world.use_keys(kept[:: -1 if turned else 1])
        if moves:
            resealing.reseal(progress=lambda name, count: None)

    @rule(job=st.sampled_from(["flush", "forget", 0.0, 0.5, 0.999]))
    def something_else(self, job: str | float) -> None:
        """Redis is emptied, predecessors are erased, or luck changes."""
        if job == "flush":
            self.messages.clear()
        elif job == "forget":
            refresh.forget_predecessors()
        else:
            self.world.chance = float(job)

    @rule(number=NUMBERS)
    def hand_off(self, number: int) -> None:
        number %= len(self.ids)
        grant = Grant.objects.get(pk=self.ids[number])
        try:
            token = handoff.fresh_token(grant=grant)
        except errors.NotInUse:
            assert self.models[number].is_paused
        except errors.ReauthorizationRequired:
            grant.refresh_from_db()
            assert grant.status in {"unlinked", "reconnect_needed"}
        except errors.VaultError:
            assert self.is_key_missing
        except errors.TokenUnavailable:
            grant.refresh_from_db()
            self.inspection.check_nothing_to_hand_out(grant)
        else:
            self.inspection.check_handed_out(number, token)

    # What holds always
    # --------------------------------------------------------------------------
    @invariant()
    def everything_is_in_order(self) -> None:
        self.end_incidents()
        self.count_hindered(is_served=False)
        self.inspection.check(self.workers.values())

    def teardown(self) -> None:
        for worker in self.workers.values():
            if hasattr(self, "inspection"):
                self.inspection.note_unread(worker)
            worker.kill()
        # Not after a failure, nor where hypothesis gave up an example.
        if sys.exc_info()[0] is None and hasattr(self, "inspection"):
            self.heal()
            self.check_all()

    def heal(self) -> None:
        for person, model in zip(self.people, self.models, strict=True):
            self.outages.pop(person.part.name, None)
            self.apply_outage(person.part)
            self.world.switch(person, on=True)
            model.is_paused = False
        self.operator_changes_keys(key=None, turned=False, moves=False)
        for ticks, seconds in ((9, 20), (15, 60)):
            for _ in range(ticks):
                self.tick(seconds)
        self.inspection.check(())
        assert not list(self.world.spool.glob("*"))

    def check_all(self) -> None:
        """Who lives is refreshed once more; who is dead is told, and others are not."""
        self.world.clock.advance(61)
        dead = []
        for number, pk in enumerate(self.ids):
            outcome, model = refresh.refresh_now(grant_id=pk), self.models[number]
            if model.lives(self.world.now()):
                assert outcome is Outcome.REFRESHED
                self.inspection.check_works(number)
            elif model.is_linked:
                dead.append(pk)
        for _ in range(25 if dead else 0):
            self.tick(60)
        told = Grant.objects.filter(pk__in=dead, status=Status.RECONNECT_NEEDED)
        assert told.count() == len(dead)
        self.inspection.check(())
