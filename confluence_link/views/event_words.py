"""Events in words, for people. Of the facts only those named here are shown."""

from __future__ import annotations

from dataclasses import dataclass
from string import Formatter
from typing import TYPE_CHECKING, Final

from confluence_link.models import Event
from confluence_link.views.outcomes.broken_answers import CONSENT_ENDED
from confluence_link.views.outcomes.link_refusals import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Kind = Event.Kind


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline."""

    at: datetime
    title: str
    detail: str
    actor: str
    tone: str


def entries(events: Sequence[Event], *, owner_id: int) -> list[Entry]:
    """In the same order.

    `owner_id` is the grant's user, who is named even where no organization is.
    """
    return [_entry(event, owner_id) for event in events]


def _entry(event: Event, owner_id: int) -> Entry:
    return Entry(
        at=event.at,
        title=title_of(event),
        detail=detail_of(event),
        actor=actor_of(event, owner_id),
        tone=tone_of(event),
    )


def title_of(event: Event) -> str:
    """What happened, with the names that are known."""
    words = _filled(TITLES.get(event.kind, ""), event)
    return words or str(event.get_kind_display())


def detail_of(event: Event) -> str:
    """What it means, if there is more to say."""
    reason = _fact(event, "reason")
    if event.kind == Kind.RECONNECT_NEEDED:
        return CONSENT_ENDED.get(reason, "")
    if event.kind == Kind.LINK_REFUSED and reason in OUTCOMES:
        return OUTCOMES[reason].title + "."
    if event.kind == Kind.REFRESH_FAILED:
        return _ANSWERS.get(_fact(event, "answer"), _ANSWERS["uncertain"])
    return _filled(_DETAILS.get(event.kind, ""), event)


def tone_of(event: Event) -> str:
    """success, warning, error, or nothing out of the ordinary."""
    return _TONES.get(event.kind, "")


def actor_of(event: Event, owner_id: int | None) -> str:
    """Who may be named as the one who did it; `owner_id` is the grant's user."""
    # Who operates this service is nobody's business in an organization; nor is a
    # member of another organization that uses the same grant.
    if event.kind in BY_OPERATORS:
        return OPERATOR
    if event.organization_id is None and event.actor_id != owner_id:
        return ""
    return str(event.actor) if event.actor else ""


def _filled(words: str, event: Event) -> str:
    """The words with the event's facts in them; nothing if one is missing."""
    names = Formatter().parse(words)
    facts = {name: _fact(event, name) for _, name, _, _ in names if name}
    return words.format_map(facts) if all(facts.values()) else ""


def _fact(event: Event, name: str) -> str:
    fact = event.facts.get(name, "")
    if isinstance(fact, list):
        return ", ".join(map(str, fact))
    return str(fact) if isinstance(fact, str | int) else ""


OPERATOR: Final = "an operator"
BY_OPERATORS: Final = (Kind.REFRESH_ASKED, Kind.SITES_LISTED)

# Where a fact is missing, the kind's own label is said instead.
TITLES: dict[str, str] = {
    Kind.LINKED: "{site} linked",
    Kind.UNLINKED: "{site} unlinked",
    Kind.SITE_LOST: "{site} no longer reachable",
    Kind.SITE_BACK: "{site} reachable again",
    Kind.LINK_REFUSED: "Link refused",
    Kind.RELINKED: "Consent renewed",
    Kind.REFRESHED: "Tokens refreshed",
    Kind.REFRESH_FAILED: "Refresh failed",
    Kind.RECOVERED: "Refreshing works again",
    Kind.RECONNECT_NEEDED: "Reconnect needed",
    Kind.ENDS_SOON: "Access ends soon, days left: {days}",
    Kind.REFRESH_ASKED: "Refresh asked for by an operator",
    Kind.SITES_LISTED: "Sites listed again by an operator",
    Kind.GRANT_UNLINKED: "Tokens erased",
    Kind.PAGE_CREATED: "Page “{title}” created",
    Kind.CONFIGURATION_REFUSED: "Settings of the server refused",
    Kind.CONFIGURATION_ACCEPTED: "Settings of the server accepted again",
    Kind.MASS_REFUSAL: "Many grants refused at once",
    Kind.APP_CHANGED: "Server changed by an operator",
    Kind.SITE_SHARED: "{site} shared with the organization",
    Kind.SITE_UNSHARED: "{site} kept to its linker",
    Kind.SITE_VACATED: "{site} left without an account",
    Kind.ADOPTER_NAMED: "{who} asked to take {site} over",
    Kind.SITE_ADOPTED: "{site} taken over",
    Kind.VACANT_SITE_DROPPED: "{site} removed",
    Kind.LINK_INVITED: "{who} asked to link {app}",
    Kind.GRANT_PAUSED: "Paused",
    Kind.GRANT_RESUMED: "Resumed",
    Kind.ACCOUNT_CLOSED: "Account closed at Atlassian",
    Kind.REPORTING_REFUSED: "Personal data not reported",
    Kind.SERVER_ADDED: "Server {server} added",
    Kind.SERVER_CHANGED: "Server {server} changed",
    Kind.SERVER_REMOVED: "Server {server} removed",
    Kind.SERVER_SETUP_SENT: "{who} asked to set up {server}",
    Kind.SERVER_SET_UP: "Client ID and secret of {server} entered",
    Kind.SECRET_ADDED: "Second client secret of {server} entered",
    Kind.SECRET_CHANGED: "Client secret of {server} changed",
    Kind.ORGANIZATION_CREATED: "Organization “{name}” created",
    Kind.ORGANIZATION_CHANGED: "Organization renamed to “{name}”",
    Kind.ORGANIZATION_DELETED: "Organization “{name}” deleted",
    Kind.MEMBER_INVITED: "{who} invited",
    Kind.INVITATION_REVOKED: "Invitation of {who} revoked",
    Kind.MEMBER_JOINED: "{who} joined",
    Kind.ROLE_CHANGED: "{who} is now {role}",
    Kind.MEMBER_LEFT: "{who} left",
    Kind.MEMBER_REMOVED: "{who} removed",
    Kind.KEY_MADE: "Service key “{name}” made",
    Kind.KEY_REVOKED: "Service key “{name}” revoked",
    Kind.KEY_EXPOSED: "Service key “{name}” seen in an address",
}

_DETAILS: dict[str, str] = {
    Kind.LINKED: "More was granted than asked for, and is not used: {more_scopes}.",
    Kind.SITE_LOST: "The account's token does not reach this site any more.",
    Kind.RELINKED: "The account gave access again; the link and its settings stayed.",
    Kind.GRANT_UNLINKED: "Nothing of the access is stored here any more.",
    Kind.ENDS_SOON: "It ends on {ends_on}, unless the account is reconnected before.",
    Kind.RECOVERED: "Renewing the access works again after failures.",
    Kind.CONFIGURATION_REFUSED: "Links are kept, and wait for the settings.",
    Kind.MASS_REFUSAL: "Taken for trouble over there; no grant was given up.",
    Kind.SITE_VACATED: "It waits for somebody who links it again.",
    Kind.ACCOUNT_CLOSED: "What was stored of the account was erased.",
    Kind.GRANT_PAUSED: "Nothing is refreshed or handed out meanwhile.",
    Kind.SERVER_CHANGED: "Changed: {changed}.",
    Kind.SERVER_SET_UP: "By {who}, who was asked by mail.",
    Kind.SECRET_ADDED: "By {who}, who was asked by mail.",
    Kind.ORGANIZATION_CHANGED: "Before: “{was}”.",
    Kind.MEMBER_INVITED: "As {role}.",
    Kind.MEMBER_JOINED: "As {role}.",
    Kind.ROLE_CHANGED: "Before: {was}.",
}

_TONES: dict[str, str] = {
    Kind.LINKED: "success",
    Kind.RELINKED: "success",
    Kind.RECOVERED: "success",
    Kind.SITE_BACK: "success",
    Kind.PAGE_CREATED: "success",
    Kind.REFRESH_FAILED: "warning",
    Kind.ENDS_SOON: "warning",
    Kind.SITE_LOST: "warning",
    Kind.LINK_REFUSED: "warning",
    Kind.RECONNECT_NEEDED: "error",
    Kind.SITE_ADOPTED: "success",
    Kind.SITE_VACATED: "warning",
    Kind.CONFIGURATION_REFUSED: "error",
    Kind.CONFIGURATION_ACCEPTED: "success",
    Kind.MASS_REFUSAL: "warning",
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
