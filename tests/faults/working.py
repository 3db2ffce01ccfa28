"""Messages, and two workers that are stopped, killed and late: half of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Min
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from confluence_link import refresh
from confluence_link.models import Grant, database_now
from tests.faults.worker_thread import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.faults.inspection import Inspection
    from tests.faults.reference_model import ReferenceGrant
    from tests.faults.world import Person, World

# Where a worker stands still. It takes a single request to stop that on its way.
POINTS = st.sampled_from(["", "", "leased", "answered", "spooled", "stored"])
POINTS_OF_ONE = st.sampled_from(
    ["", "leased", "sent", "processed", "answered", "spooled", "stored"]
)
WORKERS = st.sampled_from(["one", "another"])
RARELY = st.sampled_from([False, False, False, True])
# Of a grant; as many as there are.
NUMBERS = st.integers(0, 2)
# Outages in which the other side processes what it does not answer.
UNREAD = {"drop_after", "cut_off"}
LONGEST_SECONDS = 60 * 60


class WorkersMachine(RuleBasedStateMachine):
    """`world` is set by the test, and what else is only declared here by `begin`."""

    world: World
    people: Sequence[Person]
    ids: Sequence[int]
    models: Sequence[ReferenceGrant]
    inspection: Inspection

    def __init__(self) -> None:
        super().__init__()
        self.workers = {
            name: Worker(name, self.world.now) for name in ("one", "another")
        }
        self.world.workers = self.workers
        self.messages: list[list[int]] = []
        # What each part of the other side answers instead.
        self.outages: dict[str, str] = {}

    def apply_outage(self, part: Any) -> None:
        part.faults.clear("token")
        preset = self.outages.get(part.name, "")
        if preset:
            part.faults.add("token", preset)
        for person, model in zip(self.people, self.models, strict=True):
            if person.part is part:
                model.loses_answers = preset in UNREAD
                model.is_unread |= model.loses_answers

    # Messages and workers
    # --------------------------------------------------------------------------
    @rule(waits=st.booleans())
    def sweep(self, waits: bool) -> None:
        if waits:
            self.wait_for(self.ids)
        refresh.sweep(enqueue=self.enqueue)

    def wait_for(self, ids: list[int]) -> None:
        """Until the first of them is due."""
        active = Grant.objects.filter(pk__in=ids, status=Grant.Status.ACTIVE)
        refresh_at = active.aggregate(first=Min("refresh_at"))["first"]
        if refresh_at is not None:
            seconds = (refresh_at - database_now()).total_seconds()
            self.world.clock.advance(min(max(seconds + 1, 0), LONGEST_SECONDS))

    def enqueue(self, ids: list[int], *more: object, **options: object) -> None:
        self.messages.append(list(ids))

    @rule(place=st.integers(0, 5), stays=st.booleans(), name=WORKERS, point=POINTS)
    def deliver(self, place: int, stays: bool, name: str, point: str) -> None:
        """Out of order, and once more if it stays."""
        if not self.messages:
            refresh.sweep(enqueue=self.enqueue)
        if self.messages:
            place %= len(self.messages)
            ids = self.messages[place] if stays else self.messages.pop(place)
            self.work(name, lambda: refresh.refresh_batch(ids), point)

    @rule(waits=st.booleans(), name=WORKERS, point=POINTS)
    def refresh_all(self, waits: bool, name: str, point: str) -> None:
        """A message that nobody sent: ids may be of any grant."""
        if waits:
            self.wait_for(self.ids)
        ids = [*self.ids, max(self.ids) + 7]
        self.work(name, lambda: refresh.refresh_batch(ids), point)

    @rule(
        waits=st.booleans(),
        name=WORKERS,
        number=NUMBERS,
        point=POINTS_OF_ONE,
        is_cut=RARELY,
    )
    def refresh_one(
        self, waits: bool, name: str, number: int, point: str, is_cut: bool
    ) -> None:
        pk, part = self.pick(number)
        if waits:
            self.wait_for([pk])
        self.work(name, lambda: refresh.refresh_batch([pk]), point, part, is_cut)

    @rule(
        waits=st.booleans(),
        name=WORKERS,
        number=NUMBERS,
        point=POINTS_OF_ONE,
        is_cut=RARELY,
    )
    def refresh_now(
        self, waits: bool, name: str, number: int, point: str, is_cut: bool
    ) -> None:
        pk, part = self.pick(number)
        if waits:
            self.wait_for([pk])
        self.work(name, lambda: refresh.refresh_now(grant_id=pk), point, part, is_cut)

    @rule(name=WORKERS)
    def go_on(self, name: str) -> None:
        if self.workers[name].where != "answered":
            self.inspection.note_unread(self.workers[name])
        try:
            self.workers[name].go_on()
        finally:
            self.world.database.come_back()

    @rule(name=WORKERS)
    def kill(self, name: str) -> None:
        self.inspection.note_unread(self.workers[name])
        self.workers[name].kill()

    def pick(self, number: int) -> tuple[int, Any]:
        number %= len(self.ids)
        return self.ids[number], self.people[number].part

    def work(
        self,
        name: str,
        work: Callable[[], object],
        point: str,
        part: Any = None,
        is_cut: bool = False,
    ) -> None:
        """`is_cut`: the database goes away when the answer is there."""
        worker = self.workers[name]
        if worker.where:
            return self.go_on(name)
        is_cut = is_cut or point == "spooled"
        if part is not None and point in {"sent", "processed"}:
            part.faults.clear("token")
            part.faults.add("token", "held_for_worker", location=name, body=point)
        try:
            worker.run(
                work,
                stop_at=point,
                when_answered=self.cutting() if is_cut else None,
            )
        finally:
            self.world.database.come_back()
            if part is not None:
                self.apply_outage(part)
        self.inspection.note_leases(worker)
        return None

    def cutting(self) -> Callable[[], None]:
        spared = self.world.connections()

        def cut() -> None:
            for one in self.workers.values():
                one.lost_its_database = True
            self.world.database.go_away(spared)

        return cut
