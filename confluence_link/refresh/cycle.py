"""Sweep, a batch, one grant now: due, lease, exchange, store."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from confluence_link import tallies
from confluence_link.http import Deadline
from confluence_link.models import Grant, database_now
from confluence_link.refresh import claim, due, pace, store
from confluence_link.refresh.rounds import Outcome, Round
from confluence_link.refresh.schedule import BEGIN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# Together with one batch that began before, they fit into Celery's time limit.
BATCHES_SECONDS: Final = 120
INSIST_SECONDS: Final = 180
# A person waits for it.
INSIST_ON_DEMAND_SECONDS: Final = 5


def sweep(
    *,
    enqueue: Callable[[list[int]], object],
    enqueue_at_server: Callable[[list[int]], object] | None = None,
) -> int:
    """Hands the due grants out in batches; how many grants there were.

    Those of a Data Center server go to `enqueue_at_server`, if there is one: a server
    that hangs holds whoever works on its batch. Harmless if doubled or missed: the
    lease decides who refreshes.
    """
    store.import_spool()
    batches = due.batches(database_now())
    for batch in batches:
        (enqueue_at_server or enqueue if batch.is_at_server else enqueue)(batch.ids)
    return sum(len(batch.ids) for batch in batches)


def refresh_batch(ids: Collection[int]) -> list[Outcome]:
    """Refreshes those of these grants that are due and free.

    What finds no turn in time stays due for a later sweep.
    """
    store.import_spool()
    outcomes: list[Outcome] = []
    order, until = list(ids), Deadline(BATCHES_SECONDS)
    for start in range(0, len(order), due.BATCH):
        if until.remaining():
            outcomes += _refresh_due(order[start : start + due.BATCH])
    return outcomes


def _refresh_due(ids: list[int]) -> list[Outcome]:
    turn = _turn(ids)
    if turn is None:
        due.take_back(ids)
        return []
    time.sleep(turn.wait_seconds)
    # It began before the lease did: whoever was stopped in between sends nothing
    # under a lease that is over.
    begin_until = Deadline(BEGIN_SECONDS)
    lease_id, grants = claim.lease_due(ids)
    round_ = Round(lease_id, begin_until, INSIST_SECONDS)
    outcomes = round_.play(grants, per_second=turn.per_second)
    tallies.count_refreshed(round_.renewed)
    return outcomes


def _turn(ids: list[int]) -> pace.Turn | None:
    """When and how fast; None if an app has no time for its part now."""
    turn = pace.UNPACED
    for app_id, number in claim.count_due(ids).items():
        reserved = pace.reserve(oauth_app_id=app_id, number=number, now=database_now())
        if reserved is None:
            return None
        turn = max(reserved, turn, key=attrgetter("wait_seconds"))
    return turn


def refresh_now(*, grant_id: int) -> Outcome:
    """Refreshes one grant before its time; NOT_DUE if a try now would be unfair.

    Must not run inside a transaction: Django raises RuntimeError then, because the
    intent would not be committed before the exchange.
    """
    store.import_spool()
    generation = (
        Grant.objects.filter(pk=grant_id).values_list("generation", flat=True).first()
    )
    if generation is None:
        return Outcome.NOT_DUE
    begin_until = Deadline(BEGIN_SECONDS)
    lease_id, grants = claim.lease_on_demand(grant_id, generation)
    round_ = Round(lease_id, begin_until, INSIST_ON_DEMAND_SECONDS)
    outcomes = round_.play(grants)
    tallies.count_refreshed(round_.renewed)
    return outcomes[0] if outcomes else Outcome.NOT_DUE
