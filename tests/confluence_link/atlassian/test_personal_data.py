"""Reports of accounts on the wire: what is sent, and what of an answer is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from confluence_link import atlassian
from confluence_link.atlassian.personal_data import cycle_seconds
from confluence_link.errors import (
    NotPermitted,
    RateLimited,
    Rejected,
    ScopeMissing,
    Unavailable,
)
from confluence_link.http import Deadline

PATH = "/app/report-accounts/"
DAY = 24 * 3600
READ_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.fixture
def report(cloud):
    def report(*account_ids, read_at=READ_AT):
        return atlassian.report_accounts(
            oauth_app=cloud.deployment.oauth_app,
            accounts=dict.fromkeys(account_ids, read_at),
            session=cloud.session,
            access_token="an-access-token",
            deadline=Deadline(5),
        )

    return report


def test_each_account_is_named_with_when_it_was_read(wire, report):
    wire.answer(PATH, b"", status=204)

    report("a", "712020:b")

    (asked,) = wire.asked
    assert (asked.method, asked.path) == ("POST", PATH)
    assert asked.headers["Authorization"] == "Bearer an-access-token"
    assert asked.json == {
        "accounts": [
            {"accountId": "a", "updatedAt": "2026-01-02T03:04:05.678Z"},
            {"accountId": "712020:b", "updatedAt": "2026-01-02T03:04:05.678Z"},
        ]
    }


def test_times_are_sent_in_utc(wire, report):
    wire.answer(PATH, b"", status=204)
    east = timezone(timedelta(hours=2))

    report("a", read_at=datetime(2026, 1, 2, 1, 0, tzinfo=east))

    (entry,) = wire.asked[0].json["accounts"]
    assert entry["updatedAt"] == "2026-01-01T23:00:00.000Z"


def test_no_content_asks_for_nothing(wire, report):
    wire.answer(PATH, b"", status=204)

    answer = report("a")

    assert (answer.closed, answer.updated) == (frozenset(), frozenset())
    assert answer.cycle_seconds is None


def test_the_answer_tells_who_is_closed_and_who_was_updated(wire, report):
    told = [
        {"accountId": "a", "status": "closed"},
        {"accountId": "b", "status": "updated"},
    ]
    wire.answer(PATH, {"accounts": told}, Cycle_Period="P14D")

    answer = report("a", "b", "c")

    assert (answer.closed, answer.updated) == ({"a"}, {"b"})
    assert answer.cycle_seconds == 14 * DAY


def test_accounts_that_were_not_reported_are_not_believed(wire, report):
    told = [{"accountId": "somebody-else", "status": "closed"}]
    wire.answer(PATH, {"accounts": told})

    assert report("a").closed == frozenset()


@pytest.mark.parametrize(
    "accounts",
    [
        None,
        "closed",
        ["a"],
        [None],
        [{"status": "closed"}],
        [{"accountId": 5, "status": "closed"}],
        [{"accountId": "a"}],
        [{"accountId": "a", "status": "erased"}],
        [{"accountId": "a", "status": ["closed"]}],
    ],
    ids=str,
)
def test_what_is_not_said_clearly_erases_nothing(wire, report, accounts):
    wire.answer(PATH, {"accounts": accounts})

    assert report("a").closed == frozenset()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"], ids=str)
def test_a_success_that_is_none_is_not_trusted(wire, report, body):
    wire.answer(PATH, body)

    with pytest.raises(Unavailable):
        report("a")


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (400, {}, Rejected),
        (401, {}, NotPermitted),
        (401, {"X_Failure_Category": "FAILURE_CLIENT_SCOPE_CHECK"}, ScopeMissing),
        (403, {}, NotPermitted),
        (429, {}, RateLimited),
        (500, {}, Unavailable),
        (503, {}, Unavailable),
    ],
)
def test_each_refusal_has_its_class(wire, report, status, headers, error):
    body = {"errorType": "Some", "errorMessage": "account a is malformed"}
    wire.answer(PATH, body, status=status, Retry_After="77", **headers)

    with pytest.raises(error) as raised:
        report("a")
    assert "malformed" not in str(raised.value)
    if error in {RateLimited, Unavailable}:
        assert raised.value.retry_after_seconds == 77


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("P7D", 7 * DAY),
        (" P7D ", 7 * DAY),
        ("P1W", 7 * DAY),
        ("PT168H", 7 * DAY),
        ("P1DT12H", DAY + DAY // 2),
        ("PT604800S", 7 * DAY),
        ("7", 7 * DAY),
        ("604800", 7 * DAY),
    ],
)
def test_a_cycle_is_read_in_the_forms_that_are_in_use(text, seconds):
    assert cycle_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P0D", "0", "-7", "7.5", "P1M", "P1Y", "week", "7 days"],
)
def test_a_cycle_that_is_not_readable_is_none(text):
    assert cycle_seconds(text) is None


@pytest.mark.parametrize(
    ("text", "days"), [("PT1H", 1), ("367", 1), ("P365D", 30), ("999999999", 30)]
)
def test_a_cycle_is_kept_between_a_day_and_thirty(text, days):
    assert cycle_seconds(text) == days * DAY
