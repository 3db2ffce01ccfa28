"""Events in words, for people. Of the facts only those named here are shown."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from confluence_link.models import Event
from confluence_link.views.outcomes.broken_answers import CONSENT_ENDED
from confluence_link.views.outcomes.link_refusals import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

Kind = Event.Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline. `since` is set if it stands for several events."""

    at: datetime
    title: str
    detail: str
    actor: str
    tone: str = ""
    since: datetime | None = None


def entries(events: Sequence[Event], *, owner_id: int) -> list[Entry]:
    """Newest first; refreshes in a row become one line, for there is one an hour.

    `owner_id` is the grant's user, who is named even where no organization is.
    """
    return list(_entries(events, owner_id))


def _entries(events: Sequence[Event], owner_id: int) -> Iterator[Entry]:
    for refreshed, run in groupby(events, lambda each: each.kind == Kind.REFRESHED):
        if refreshed:
            yield _refreshes(list(run))
        else:
            yield from (_entry(event, owner_id) for event in run)


def _refreshes(run: list[Event]) -> Entry:
    times = f" {len(run)} times" if len(run) > 1 else ""
    return Entry(
        at=run[0].at,
        title=f"Tokens refreshed{times}",
        detail="",
        actor="",
        since=run[-1].at if times else None,
    )


def _entry(event: Event, owner_id: int) -> Entry:
    return Entry(
        at=event.at,
        title=_title(event),
        detail=_detail(event),
        actor=_actor(event, owner_id),
        tone=_TONES.get(event.kind, ""),
    )


def _title(event: Event) -> str:
    name = _fact(event, "title" if event.kind == Kind.PAGE_CREATED else "site")
    titles = _TITLES.get(event.kind)
    if titles is None:
        return event.get_kind_display()
    return titles[0].format(name) if name else titles[1]


def _detail(event: Event) -> str:
    reason = _fact(event, "reason")
    if event.kind == Kind.RECONNECT_NEEDED:
        return CONSENT_ENDED.get(reason, "")
    if event.kind == Kind.LINK_REFUSED and reason in OUTCOMES:
        return OUTCOMES[reason].title + "."
    if event.kind == Kind.REFRESH_FAILED:
        return _ANSWERS.get(_fact(event, "answer"), _ANSWERS["uncertain"])
    return _DETAILS.get(event.kind, "")


def _actor(event: Event, owner_id: int) -> str:
    # Who operates this service is nobody's business in an organization; nor is a
    # member of another organization that uses the same grant.
    if event.kind in {Kind.REFRESH_ASKED, Kind.SITES_LISTED}:
        return "an operator"
    if event.organization_id is None and event.actor_id != owner_id:
        return ""
    return str(event.actor) if event.actor else ""


def _fact(event: Event, name: str) -> str:
    fact = event.facts.get(name, "")
    return fact if isinstance(fact, str) else ""


# With a name in it, and without.
_TITLES: dict[str, tuple[str, str]] = {
    Kind.LINKED: ("{} linked", "Site linked"),
    Kind.UNLINKED: ("{} unlinked", "Site unlinked"),
    Kind.SITE_LOST: ("{} no longer reachable", "Site no longer reachable"),
    Kind.SITE_BACK: ("{} reachable again", "Site reachable again"),
    Kind.SITE_SHARED: ("{} shared with the organization", "Site shared"),
    Kind.SITE_UNSHARED: ("{} kept to its linker", "Site kept to its linker"),
    Kind.PAGE_CREATED: ("Page “{}” created", "Page created"),
}

_DETAILS: dict[str, str] = {
    Kind.SITE_LOST: "The account's token does not reach this site any more.",
    Kind.RELINKED: "The account gave access again; the link and its settings stayed.",
    Kind.GRANT_UNLINKED: "Nothing of the access is stored here any more.",
    Kind.RECOVERED: "Renewing the access works again after failures.",
}

_TONES: dict[str, str] = {
    Kind.LINKED: "success",
    Kind.RELINKED: "success",
    Kind.RECOVERED: "success",
    Kind.SITE_BACK: "success",
    Kind.PAGE_CREATED: "success",
    Kind.REFRESH_FAILED: "warning",
    Kind.SITE_LOST: "warning",
    Kind.LINK_REFUSED: "warning",
    Kind.RECONNECT_NEEDED: "error",
}

# The classes of answer of a token endpoint (design 6), and no answer at all.
_ANSWERS: dict[str, str] = {
    "uncertain": "No usable answer came. We keep trying.",
    "not_sent": "The other side could not be reached. We keep trying.",
    "busy": "The other side asked us to come back later.",
    "refused": "The other side refused. We make sure before we give up.",
    "configuration": "The settings of this service were refused; operators are told.",
    "blocked": "Something between us and the other side blocked the request.",
}
