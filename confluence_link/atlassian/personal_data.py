"""Atlassian's personal data reporting: which accounts are stored here, and since when.

Reference: https://developer.atlassian.com/cloud/jira/platform/user-privacy-developer-guide/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read_object
from confluence_link.atlassian.call import Call
from confluence_link.atlassian.cloud import Cloud

if TYPE_CHECKING:
    from confluence_link.http import Answer, Deadline, GuardedSession
    from confluence_link.models import OAuthApp

REPORT_SCOPE: Final = "report:personal-data"
MOST_REPORTED_ACCOUNTS: Final = 90
_PATH: Final = "/app/report-accounts/"
_DAY: Final = 24 * 3600
MIN_CYCLE_SECONDS: Final = _DAY
MAX_CYCLE_SECONDS: Final = 30 * _DAY
# A plain number up to here can only mean days, and above it only seconds.
_MOST_DAYS: Final = 366
_DURATION: Final = re.compile(
    r"P(?:([0-9]{1,4})W)?(?:([0-9]{1,4})D)?"
    r"(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?"
)
_DURATION_SECONDS: Final = (7 * _DAY, _DAY, 3600, 60, 1)
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """Whose data must go, and whose must be read again.

    Both name reported accounts only. No cycle: the answer named none that is readable.
    """

    closed: frozenset[str]
    updated: frozenset[str]
    cycle_seconds: int | None


def report_accounts(
    *,
    oauth_app: OAuthApp,
    accounts: Mapping[str, datetime],
    session: GuardedSession,
    access_token: str,
    deadline: Deadline,
) -> ReportAnswer:
    """Reports up to 90 account ids, each with when its data was read.

    Raises ApiError or TransportError.
    """
    entries = [
        {"accountId": account_id, "updatedAt": _rfc_3339(read_at)}
        for account_id, read_at in accounts.items()
    ]
    call = Call(session, Cloud(oauth_app).api_url, access_token, deadline)
    answer = call.post(_PATH, {"accounts": entries})
    statuses = _statuses(answer)
    return ReportAnswer(
        closed=frozenset(one for one in accounts if statuses.get(one) == "closed"),
        updated=frozenset(one for one in accounts if statuses.get(one) == "updated"),
        cycle_seconds=cycle_seconds(answer.headers.get("Cycle-Period", "")),
    )


def _rfc_3339(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _statuses(answer: Answer) -> dict[object, object]:
    if answer.status == 204:
        return {}
    entries = remote_values.sequence(read_object(answer).get("accounts"))
    told = [remote_values.mapping(entry) for entry in entries]
    return {
        one["accountId"]: one.get("status")
        for one in told
        if isinstance(one.get("accountId"), str)
    }


def cycle_seconds(text: str) -> int | None:
    """A `Cycle-Period`, kept between a day and 30; None if it is not readable.

    Atlassian does not say how it is written, so both forms that clients expect are
    taken: `P7D`, and a number of days or of seconds.
    """
    seconds = _of_duration(text.strip()) or _of_number(text.strip())
    if not seconds:
        return None
    return min(max(seconds, MIN_CYCLE_SECONDS), MAX_CYCLE_SECONDS)


def _of_duration(text: str) -> int:
    """ISO 8601 without years and months, whose lengths vary; 0 if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return 0
    parts = zip(match.groups(default="0"), _DURATION_SECONDS, strict=True)
    return sum(int(count) * seconds for count, seconds in parts)


def _of_number(text: str) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else 0
    return number * _DAY if number <= _MOST_DAYS else number
