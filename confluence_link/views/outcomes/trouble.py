"""Trouble: one outcome with what the page needs to draw it in a list's place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confluence_link import errors
from confluence_link.views.outcomes.broken_answers import (
    ACCESS_REFUSED,
    BROKEN_ANSWERS,
    CONSENT_ENDED,
    NOT_IN_USE,
    PAGE_NOT_CREATED,
)
from confluence_link.views.outcomes.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluence_link.errors import ConfluenceLinkError

# The id comes from a remote server: anything but an id is not shown.
_REQUEST_ID = re.compile(r"\A[A-Za-z0-9-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Trouble:
    """`happened` may be more exact than the outcome's."""

    outcome: Outcome
    happened: str
    status: int
    retry_after_seconds: int | None = None
    request_id: str = ""


def trouble_of(
    error: ConfluenceLinkError, *, creating: bool = False, typed: bool = False
) -> Trouble:
    """The words for an error of a call; `creating` if a page was being created.

    With `typed`, somebody's words are in a form of the page: to load it again would
    lose them, so the form's own button is what tries again.
    """
    outcome = _outcome(error, creating=creating)
    if typed and outcome.button == "reload":
        outcome = replace(outcome, button="")
    request_id = getattr(error, "request_id", "")
    return Trouble(
        outcome=outcome,
        happened=_happened(error, outcome),
        status=outcome.status,
        retry_after_seconds=getattr(error, "retry_after_seconds", None),
        request_id=request_id if _REQUEST_ID.match(request_id) else "",
    )


def _outcome(error: ConfluenceLinkError, *, creating: bool) -> Outcome:
    kind = type(error)
    if isinstance(error, errors.NotPermitted) and error.status == 401:
        return ACCESS_REFUSED
    if isinstance(error, errors.NotInUse) and error.reason in NOT_IN_USE:
        return NOT_IN_USE[error.reason]
    if creating and (found := _nearest(PAGE_NOT_CREATED, kind)):
        return found
    if isinstance(error, errors.Unavailable) and not error.status:
        kind = errors.TransportError
    return _nearest(BROKEN_ANSWERS, kind) or _UNKNOWN


def _nearest(
    table: Mapping[type[ConfluenceLinkError], Outcome],
    kind: type[ConfluenceLinkError],
) -> Outcome | None:
    return next((table[base] for base in kind.__mro__ if base in table), None)


def _happened(error: ConfluenceLinkError, outcome: Outcome) -> str:
    if isinstance(error, errors.ReauthorizationRequired):
        return CONSENT_ENDED.get(error.reason, outcome.happened)
    return outcome.happened


_UNKNOWN = BROKEN_ANSWERS[errors.ConfluenceLinkError]
