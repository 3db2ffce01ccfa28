"""Every sealed value under the first key, while the service runs.

Opening and sealing happen outside of any transaction. What is written is written in
short transactions that wait for nobody's lock, so that a refresh waits for them at
most for a moment and never in a circle; and only where the old envelopes still stand
(F44). Rows that changed meanwhile are looked at again. There is no bookkeeping: what
is under the first key is done, so whoever was killed begins where it ended (V05).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from confluence_link import vault
from confluence_link.errors import VaultError
from confluence_link.resealing.kinds import KINDS, Kind

BATCH: Final = 500
# Rows that are locked at once.
_WRITTEN_AT_ONCE: Final = 50
# Rows that are locked, or change, are looked at that often.
_ROUNDS: Final = 5
_PAUSE_SECONDS: Final = 0.2

# Is told the name of the kind and how many values were looked at since.
Progress = Callable[[str, int], None]
# A row as it was read, and the columns that are to change.
Resealed = tuple[Any, Mapping[str, object]]


@dataclass(slots=True)
class Result:
    """What a run did, in rows."""

    moved: Counter[str] = field(default_factory=Counter)
    # By kind and key id; nothing was changed in them.
    unopened: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Locked or changed each time: the next run finds them.
    left: int = 0


def reseal(*, progress: Progress) -> Result:
    """Moves what is not under the first key. Raises VaultError without keys."""
    first = vault.sealing_key_id()
    result = Result()
    for kind in KINDS:
        for rows in _batches(kind, first):
            _move(kind, rows, first, result)
            progress(kind.name, len(rows))
    return result


def _batches(kind: Kind, first: str) -> Iterator[list[Any]]:
    ordered, last = kind.not_under(first).order_by("pk"), 0
    while rows := list(ordered.filter(pk__gt=last)[:BATCH]):
        last = rows[-1].pk
        if stale := [row for row in rows if _is_stale(kind, row, first)]:
            yield stale


def _is_stale(kind: Kind, row: Any, first: str) -> bool:
    return any(key_id != first for key_id in kind.key_ids(row))


def _move(kind: Kind, rows: list[Any], first: str, result: Result) -> None:
    for again in range(_ROUNDS):
        if again:
            time.sleep(_PAUSE_SECONDS)
        unwritten = _write_all(kind, _resealed(kind, rows, result), result)
        candidates = kind.not_under(first).filter(pk__in=unwritten)
        rows = [row for row in candidates if _is_stale(kind, row, first)]
        if not rows:
            return
    result.left += len(rows)


def _resealed(kind: Kind, rows: list[Any], result: Result) -> list[Resealed]:
    done = []
    for row in rows:
        try:
            done.append((row, kind.moved(row)))
        except VaultError as error:
            result.unopened[kind.name, error.key_id] += 1
    return done


def _write_all(kind: Kind, resealed: list[Resealed], result: Result) -> set[int]:
    """The rows that were locked, had changed, or are gone."""
    unwritten = {row.pk for row, _ in resealed}
    for start in range(0, len(resealed), _WRITTEN_AT_ONCE):
        written = write(kind, resealed[start : start + _WRITTEN_AT_ONCE])
        result.moved[kind.name] += len(written)
        unwritten -= written
    return unwritten


def write(kind: Kind, resealed: list[Resealed]) -> set[int]:
    """Returns the keys of the rows that still were as they had been read."""
    rows = kind.rows().model._default_manager.all()
    written = set()
    with transaction.atomic():
        there = rows.filter(pk__in=[row.pk for row, _ in resealed])
        locked = there.select_for_update(skip_locked=True, no_key=True)
        free = set(locked.values_list("pk", flat=True))
        for row, values in resealed:
            as_read = {column: getattr(row, column) for column in kind.columns}
            if row.pk in free and rows.filter(pk=row.pk, **as_read).update(**values):
                written.add(row.pk)
    return written
