from __future__ import annotations

import pytest

from sandbox.cloud.people import CLOSED_ACCOUNT_ID, NORTHWIND
from tests.sandbox.flows import bearer


def test_profile_names_the_account(cloud):
    profile = cloud.get("/me", cloud.linked()).json()

    assert profile["account_id"] == "5be24ad8b1653240376955d2"
    assert profile["email"] == "alice@example.com"
    assert "email_verified" not in profile


def test_profile_needs_read_me(cloud):
    answer = cloud.linked(scope="read:page:confluence")

    assert cloud.get("/me", answer).status_code == 403


def test_same_cloud_id_stands_twice_once_per_product(cloud):
    answer = cloud.linked()

    resources = cloud.get("/oauth/token/accessible-resources", answer).json()

    assert [one["id"] for one in resources] == [NORTHWIND.id] * 2
    kinds = {"confluence" in " ".join(one["scopes"]) for one in resources}
    assert kinds == {True, False}


def test_site_that_the_person_lost_disappears(cloud):
    answer = cloud.linked()
    cloud.part.leave_site("alice", "northwind")

    assert cloud.get("/oauth/token/accessible-resources", answer).json() == []
    assert cloud.call("/api/v2/spaces", answer).status_code == 404


def test_pictures_are_served(cloud):
    answer = cloud.linked()
    resource = cloud.get("/oauth/token/accessible-resources", answer).json()[0]

    picture = cloud.http.get(resource["avatarUrl"])

    assert picture.headers["Content-Type"].startswith("image/svg+xml")


def report(cloud, answer, accounts):
    return cloud.http.post(
        f"{cloud.part.url}/app/report-accounts/",
        headers=bearer(answer),
        json={"accounts": accounts},
    )


def test_report_answers_who_needs_action(cloud):
    answer = cloud.linked()
    cloud.part.updated_accounts.add("changed")
    ids = [CLOSED_ACCOUNT_ID, "changed", "5be24ad8b1653240376955d2"]
    accounts = [{"accountId": one, "updatedAt": "2026-01-01T00:00:00Z"} for one in ids]

    response = report(cloud, answer, accounts)

    assert response.headers["Cycle-Period"] == "P7D"
    assert response.json()["accounts"] == [
        {"accountId": CLOSED_ACCOUNT_ID, "status": "closed"},
        {"accountId": "changed", "status": "updated"},
    ]
    assert report(cloud, answer, accounts[2:]).status_code == 204


@pytest.mark.parametrize("accounts", [None, [], ["x"], [{"accountId": "x"}]], ids=str)
def test_malformed_report_is_refused(cloud, accounts):
    response = report(cloud, cloud.linked(), accounts)

    assert response.status_code == 400
    assert response.json().keys() == {"errorType", "errorMessage"}


def test_report_of_more_than_ninety_is_refused(cloud):
    one = {"accountId": "x", "updatedAt": "2026-01-01T00:00:00Z"}

    assert report(cloud, cloud.linked(), [one] * 91).status_code == 400


def test_report_needs_its_scope(cloud):
    one = {"accountId": "x", "updatedAt": "2026-01-01T00:00:00Z"}
    answer = cloud.linked(scope="read:me", site="")

    assert report(cloud, answer, [one]).status_code == 403
