"""The fenced write of an answer.

A token set is stored only as the successor of the generation that was exchanged, and
never under somebody else's live lease (design 6, I1 and I4).
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Value, When

from confluence_link import atlassian, events, vault
from confluence_link.errors import VaultError
from confluence_link.models import Event, Grant, SealedTokenSet, database_now
from confluence_link.refresh import idle, schedule, spool

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from confluence_link.tokens import TokenSet

_CHANCE: Final = random.SystemRandom()
LOOKED_AT_A_MINUTE: Final = 5_000
# Of an answer in which only the refresh token could be used.
MALFORMED: Final = "malformed"


def store(
    *,
    grant: Grant,
    lease_id: uuid.UUID | None,
    refresh_token: str,
    token_set: TokenSet,
    asked_at: datetime,
) -> bool:
    """Commits the successor of `grant`'s generation; False if it is fenced off.

    `refresh_token` is the one that was exchanged: it stays if the answer brought
    none. The life of the tokens counts from `asked_at`. Fenced off: unlinked, linked
    again, already succeeded, or leased by another.
    """
    now = database_now()
    successor = _successor(grant, token_set, asked_at)
    current = Q(pk=grant.pk, epoch=grant.epoch, generation=grant.generation)
    ours = Q(lease_id=lease_id) if lease_id else Q(pk__in=())
    free = Q(lease_id=None) | Q(lease_until__lt=now)
    with transaction.atomic(durable=True):
        fenced_in = Grant.objects.filter(current, ours | free).exclude(
            status=Grant.Status.UNLINKED
        )
        if not fenced_in.update(**_columns(grant, successor, token_set, now)):
            return False
        _seal(grant, successor, refresh_token, token_set)
        _tell(grant, is_usable=bool(token_set.access_token))
    return True


def _tell(grant: Grant, *, is_usable: bool) -> None:
    if is_usable:
        is_dead = grant.status == Grant.Status.RECONNECT_NEEDED
        if grant.consecutive_failures or is_dead:
            events.record(Event.Kind.RECOVERED, grant=grant)
    elif not grant.last_error:
        events.record(
            Event.Kind.REFRESH_FAILED, grant=grant, answer="uncertain", error=MALFORMED
        )


def _successor(grant: Grant, token_set: TokenSet, asked_at: datetime) -> Grant:
    """The grant as it will be, for the binding of what is sealed."""
    return Grant(
        pk=grant.pk,
        public_id=grant.public_id,
        oauth_app_id=grant.oauth_app_id,
        epoch=grant.epoch,
        generation=grant.generation + 1,
        last_rotated_at=asked_at,
        expires_at=asked_at + timedelta(seconds=token_set.expires_in_seconds),
        refresh_at=idle.next_refresh_at(
            grant,
            asked_at=asked_at,
            expires_in_seconds=token_set.expires_in_seconds,
        ),
    )


def _columns(
    grant: Grant, successor: Grant, token_set: TokenSet, now: datetime
) -> dict[str, object]:
    # Whatever came of a later exchange, it may have retired what is stored now: the
    # intent stays, and the next exchange finds out while there is leeway.
    is_newest = _is_newest(successor.last_rotated_at)
    return {
        "generation": successor.generation,
        "expires_at": successor.expires_at,
        "refresh_at": Case(
            When(is_newest, then=Value(successor.refresh_at)), default=Value(now)
        ),
        "last_rotated_at": successor.last_rotated_at,
        "scopes": list(token_set.scopes) if token_set.scopes else grant.scopes,
        "status": _status_with_tokens(),
        "death_reason": "",
        "lease_id": None,
        "lease_until": None,
        "queued_until": None,
        "attempt": 0,
        "uncertain_since": Case(
            When(is_newest, then=None), default=F("uncertain_since")
        ),
        "consecutive_failures": 0,
        "refusals": 0,
        "first_refused_at": None,
        "last_refused_at": None,
        "last_error": "",
        # By a clock that was set back since, every answer would be an older one.
        "last_error_at": Case(When(is_newest, then=F("last_error_at")), default=None),
        **({} if token_set.access_token else _without_access_token(grant, now)),
    }


def _is_newest(asked_at: datetime) -> Q:
    """Nobody began another exchange of the same refresh token after this one."""
    lease_until = asked_at + timedelta(seconds=schedule.LEASE_SECONDS)
    return (Q(lease_until=None) | Q(lease_until__lte=lease_until)) & (
        Q(last_error_at=None) | Q(last_error_at__lte=asked_at)
    )


def _status_with_tokens() -> Case:
    """Whoever was switched off while the answer came stays so (F47).

    Also who was dead then: nobody would switch them off any more.
    """
    rests = Exists(Grant.objects.resting().filter(pk=OuterRef("pk")))
    paused = When(
        Q(status=Grant.Status.PAUSED) | rests, then=Value(Grant.Status.PAUSED)
    )
    return Case(paused, default=Value(Grant.Status.ACTIVE))


def _without_access_token(grant: Grant, now: datetime) -> dict[str, object]:
    """The new refresh token is tried at once; if that gives none again, as a failure.

    Otherwise every caller could send one more exchange.
    """
    failed: dict[str, object] = {
        "expires_at": now,
        "refresh_at": now,
        "consecutive_failures": grant.consecutive_failures + 1,
        "last_error": MALFORMED,
    }
    if grant.last_error == MALFORMED:
        failed["last_error_at"] = now
        failed["refresh_at"] = schedule.try_again_at(
            now=now,
            failures=grant.consecutive_failures + 1,
            alive=False,
            at_least=schedule.UNCERTAIN_GAP_SECONDS,
            chance=_CHANCE,
        )
    return failed


def _seal(
    grant: Grant,
    successor: Grant,
    refresh_token: str,
    token_set: TokenSet,
) -> None:
    leeway = atlassian.deployment_for(grant.oauth_app).leeway_seconds
    row = SealedTokenSet.objects.only("refresh").get(grant_id=grant.pk)
    SealedTokenSet.objects.filter(pk=row.pk).update(
        access=vault.seal_access(successor, token_set.access_token),
        refresh=vault.seal_refresh(successor, token_set.refresh_token or refresh_token),
        previous_refresh=row.refresh,
        previous_until=successor.last_rotated_at + timedelta(seconds=leeway),
        key_id=vault.sealing_key_id(),
    )


def import_spool() -> None:
    """Stores what an earlier process could not; a live lease makes it wait."""
    for grant, token_set, asked_at in spool.kept():
        try:
            sealed = SealedTokenSet.objects.only("refresh").get(grant_id=grant.pk)
            is_stored = store(
                grant=grant,
                lease_id=None,
                refresh_token=vault.open_refresh(grant, sealed.refresh),
                token_set=token_set,
                asked_at=asked_at,
            )
        except (VaultError, SealedTokenSet.DoesNotExist):
            continue
        if is_stored:
            spool.forget(grant)


def forget_predecessors() -> None:
    """Erases predecessors whose leeway is over: nobody would take them any more.

    No index says which, because every refresh would have to write it; so each minute
    looks at the next part of the table. Where there are more parts, most predecessors
    are replaced by their successors before.
    """
    now = database_now()
    last = SealedTokenSet.objects.aggregate(last=Max("pk"))["last"] or 0
    parts = last // LOOKED_AT_A_MINUTE + 1
    first = int(now.timestamp() / 60) % parts * LOOKED_AT_A_MINUTE
    SealedTokenSet.objects.filter(
        pk__gte=first, pk__lt=first + LOOKED_AT_A_MINUTE, previous_until__lte=now
    ).update(previous_refresh=b"", previous_until=None)
