"""TimelineCursor: where a page of events ends, without an integer key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

    from confluence_link.models import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimelineCursor:
    """Events up to and with `at`, less the first `skip` of exactly that instant."""

    at: datetime | None = None
    skip: int = 0

    @classmethod
    def parse(cls, text: str) -> TimelineCursor:
        """Of an address; anything unreadable is the beginning."""
        at, _, skip = text.partition("~")
        try:
            moment = _EPOCH + timedelta(microseconds=int(at))
            return cls(moment, min(max(int(skip), 0), 10_000))
        except (ValueError, OverflowError):
            return cls()

    def apply(self, events: QuerySet[Event]) -> QuerySet[Event]:
        if self.at is None:
            return events
        return events.filter(at__lte=self.at)[self.skip :]

    def after(self, shown: Sequence[Event]) -> str:
        last = shown[-1].at
        same = sum(event.at == last for event in shown)
        if last == self.at:
            same += self.skip
        return f"{(last - _EPOCH) // timedelta(microseconds=1)}~{same}"
