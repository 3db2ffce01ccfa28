"""Sweep, a batch, one grant now: due, lease, exchange, store."""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from django.db import Error, connection

from confluence_link.errors import VaultError
from confluence_link.http import Deadline
from confluence_link.models import Grant, SealedTokenSet, database_now
from confluence_link.refresh import claim, client_secret, spool, store, verdict
from confluence_link.refresh.exchange import Failure, exchange_all
from confluence_link.refresh.schedule import EXCHANGE_SECONDS

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Collection, Iterable

    from confluence_link.refresh.claim import Leased
    from confluence_link.tokens import TokenSet

logger = logging.getLogger(__name__)

BATCH: Final = 500
# What is leased together is sent together, so that no lease grows old in a queue.
AT_ONCE: Final = 100
# Both fit into Celery's time limit, with one exchange in between.
WAVES_SECONDS: Final = 120
INSIST_SECONDS: Final = 180
# A person waits for it.
INSIST_ON_DEMAND_SECONDS: Final = 5
INSIST_PAUSE_SECONDS: Final = 1


class Outcome(StrEnum):
    """What became of one grant. The values of failures are the classes of design 6."""

    REFRESHED = "refreshed"
    NOT_DUE = "not_due"
    FENCED = "fenced"
    SPOOLED = "spooled"
    DEAD = "dead"
    NOT_SENT = "not_sent"
    UNCERTAIN = "uncertain"
    BUSY = "busy"
    REFUSED = "refused"
    CONFIGURATION = "configuration"
    BLOCKED = "blocked"
    UNDECRYPTABLE = "undecryptable"


def sweep(*, enqueue: Callable[[list[int]], object]) -> int:
    """Hands the due grants to `enqueue` in batches; how many there were.

    Harmless if doubled or missed: the lease decides who refreshes.
    """
    store.import_spool()
    ids = claim.take_due(database_now())
    for start in range(0, len(ids), BATCH):
        enqueue(ids[start : start + BATCH])
    return len(ids)


def refresh_batch(ids: Collection[int]) -> list[Outcome]:
    """Refreshes those of these grants that are due and free.

    Begins nothing new after WAVES_SECONDS: what is left stays due for a later sweep.
    """
    store.import_spool()
    outcomes: list[Outcome] = []
    order, began = list(ids), time.monotonic()
    for start in range(0, len(order), AT_ONCE):
        if time.monotonic() - began > WAVES_SECONDS:
            break
        deadline = Deadline(EXCHANGE_SECONDS)
        lease_id, grants = claim.lease_due(order[start : start + AT_ONCE])
        outcomes += _refresh_leased(lease_id, grants, deadline, INSIST_SECONDS)
    return outcomes


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
    deadline = Deadline(EXCHANGE_SECONDS)
    lease_id, grants = claim.lease_on_demand(grant_id, generation)
    outcomes = _refresh_leased(lease_id, grants, deadline, INSIST_ON_DEMAND_SECONDS)
    return outcomes[0] if outcomes else Outcome.NOT_DUE


def _refresh_leased(
    lease_id: uuid.UUID,
    grants: Iterable[Grant],
    deadline: Deadline,
    insist_seconds: float,
) -> list[Outcome]:
    """Exchanges in threads that see no database; stores each answer as it comes.

    `deadline` began before the lease did: whoever was stopped in between sends
    nothing under a lease that is over. An answer that the database does not take is
    spooled at once, so that no later answer waits for it; afterwards we insist.
    """
    leased, outcomes = _open_all(lease_id, grants)
    unstored: list[tuple[Leased, TokenSet]] = []
    for one, answer in exchange_all(leased, deadline=deadline):
        if isinstance(answer, Failure):
            outcomes.append(_fail(one, answer))
            continue
        try:
            outcomes.append(_store(one, answer))
        except Error:
            _spool(one, answer)
            unstored.append((one, answer))
    until = time.monotonic() + insist_seconds
    outcomes += [_insist(one, answer, until) for one, answer in unstored]
    return outcomes


def _open_all(
    lease_id: uuid.UUID, grants: Iterable[Grant]
) -> tuple[list[Leased], list[Outcome]]:
    opened: list[Leased] = []
    outcomes: list[Outcome] = []
    for grant in grants:
        try:
            opened.append(claim.open_leased(grant, lease_id))
        except VaultError as error:
            verdict.grant_failed(
                grant=grant,
                lease_id=lease_id,
                failure=Failure("undecryptable", error.reason),
            )
            outcomes.append(Outcome.UNDECRYPTABLE)
        except SealedTokenSet.DoesNotExist:
            # Unlinked since it was leased; the others go on.
            outcomes.append(Outcome.FENCED)
    return opened, outcomes


def _fail(leased: Leased, failure: Failure) -> Outcome:
    try:
        dead = verdict.grant_failed(
            grant=leased.grant, lease_id=leased.lease_id, failure=failure
        )
    except Error:
        # The lease ends by itself and the intent stays: as if we had crashed.
        connection.close()
        return Outcome.UNCERTAIN
    return Outcome.DEAD if dead else Outcome(failure.answer)


def _store(leased: Leased, token_set: TokenSet) -> Outcome:
    outcome = _store_fenced(leased, token_set)
    if token_set.by_next_secret:
        try:
            client_secret.promote_next(leased.grant.oauth_app)
        except (Error, VaultError):
            # The tokens are stored, and the next exchange finds out again.
            connection.close()
    return outcome


def _store_fenced(leased: Leased, token_set: TokenSet) -> Outcome:
    stored = store.store(
        grant=leased.grant,
        lease_id=leased.lease_id,
        refresh_token=leased.refresh_token,
        token_set=token_set,
        asked_at=leased.asked_at,
    )
    if stored:
        spool.forget(leased.grant)
        return Outcome.REFRESHED
    # Somebody else leased it meanwhile. Should they fail, this answer is the only
    # successor, so the next import looks at it again.
    if spool.follows(leased.grant):
        _spool(leased, token_set)
    return Outcome.FENCED


def _spool(leased: Leased, token_set: TokenSet) -> bool:
    """Whether the answer is in the spool now; a full disk must not lose the others."""
    try:
        spool.keep(leased.grant, token_set, asked_at=leased.asked_at)
    except OSError as error:
        logger.error(
            "answer not spooled, grant=%d error=%s",
            leased.grant.pk,
            type(error).__name__,
        )
        return False
    return True


def _insist(leased: Leased, token_set: TokenSet, until: float) -> Outcome:
    """Stores as soon as the database is back; else the spool has the answer."""
    while True:
        connection.close()
        try:
            return _store(leased, token_set)
        except Error:
            is_kept = _spool(leased, token_set)
            if time.monotonic() >= until:
                return Outcome.SPOOLED if is_kept else Outcome.UNCERTAIN
            time.sleep(INSIST_PAUSE_SECONDS)
