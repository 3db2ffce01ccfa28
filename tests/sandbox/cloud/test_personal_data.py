"""Reports of stored accounts: who may send them, and what they are told."""

from __future__ import annotations

import pytest

from sandbox.cloud.people import CLOSED_ACCOUNT_ID
from tests.sandbox.flows import bearer

ACTIVE_ACCOUNT_ID = "5be24ad8b1653240376955d2"
AT = "2026-01-01T00:00:00.123Z"


def entry(account_id="x", at=AT):
    return {"accountId": account_id, "updatedAt": at}


def report(cloud, answer, accounts):
    return cloud.http.post(
        f"{cloud.part.url}/app/report-accounts/",
        headers=bearer(answer),
        json={"accounts": accounts},
    )


def test_report_answers_who_needs_action(cloud):
    answer = cloud.linked()
    cloud.part.set_account_status("changed", "updated")
    accounts = [entry(CLOSED_ACCOUNT_ID), entry("changed"), entry(ACTIVE_ACCOUNT_ID)]

    response = report(cloud, answer, accounts)

    assert response.status_code == 200
    assert response.headers["Cycle-Period"] == "P7D"
    assert response.json()["accounts"] == [
        {"accountId": CLOSED_ACCOUNT_ID, "status": "closed"},
        {"accountId": "changed", "status": "updated"},
    ]


def test_report_of_accounts_that_need_nothing_has_no_content(cloud):
    response = report(cloud, cloud.linked(), [entry(ACTIVE_ACCOUNT_ID)])

    assert response.status_code == 204
    assert response.content == b""
    assert response.headers["Cycle-Period"] == "P7D"


def test_the_cycle_is_what_it_is_set_to(cloud):
    cloud.part.behaviour.change({"report_cycle": "P14D"})

    assert report(cloud, cloud.linked(), [entry()]).headers["Cycle-Period"] == "P14D"


def test_what_was_reported_is_kept_and_counted(cloud):
    report(cloud, cloud.linked(), [entry("a"), entry(CLOSED_ACCOUNT_ID)])

    assert cloud.part.reported == [entry("a"), entry(CLOSED_ACCOUNT_ID)]
    assert cloud.part.statistics["request.report"] == 1
    assert cloud.part.statistics["report.active"] == 1
    assert cloud.part.statistics["report.closed"] == 1


@pytest.mark.parametrize(
    "accounts",
    [
        None,
        [],
        ["x"],
        [{"accountId": "x"}],
        [{"accountId": 5, "updatedAt": AT}],
        [entry("unknown")],
        [entry("not an id")],
        [entry("x" * 129)],
        [entry(at="yesterday")],
        [entry(at="2026-01-01 00:00:00Z")],
        [entry(at="2026-01-01T00:00:00")],
        [entry(), entry()],
    ],
    ids=str,
)
def test_malformed_report_is_refused(cloud, accounts):
    response = report(cloud, cloud.linked(), accounts)

    assert response.status_code == 400
    assert response.json().keys() == {"errorType", "errorMessage"}
    assert cloud.part.reported == []


def test_report_of_more_than_ninety_is_refused(cloud):
    answer = cloud.linked()
    accounts = [entry(f"account-{number}") for number in range(91)]

    assert report(cloud, answer, accounts).status_code == 400
    assert report(cloud, answer, accounts[:90]).status_code == 204


def test_report_needs_its_scope(cloud):
    answer = cloud.linked(scope="read:me", site="")

    assert report(cloud, answer, [entry()]).status_code == 403


def test_report_needs_a_live_token(cloud):
    assert report(cloud, {"access_token": "made-up"}, [entry()]).status_code == 401


@pytest.mark.parametrize(
    ("preset", "status"), [("rate_limited", 429), ("unavailable", 503)]
)
def test_a_fault_asks_for_patience(cloud, preset, status):
    cloud.part.faults.add("report", preset, times=1, retry_after="120")

    response = report(cloud, cloud.linked(), [entry()])

    assert response.status_code == status
    assert response.headers["Retry-After"] == "120"
    assert cloud.part.reported == []


def test_a_reset_forgets_what_was_reported_and_said_of_accounts(cloud):
    cloud.part.set_account_status("alice", "closed")
    report(cloud, cloud.linked(), [entry(ACTIVE_ACCOUNT_ID)])

    cloud.part.reset()

    assert cloud.part.reported == []
    answer = report(cloud, cloud.linked(), [entry(ACTIVE_ACCOUNT_ID)])
    assert answer.status_code == 204
