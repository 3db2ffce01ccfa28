from __future__ import annotations

import pytest

from sandbox.cloud.people import RIVERSIDE, TICKETS
from tests.sandbox.flows import CALLBACK, returned


def test_person_chooses_account_then_sees_consent_page(cloud):
    accounts = cloud.authorize()
    consent = cloud.authorize(account="alice")

    assert 'id="account-alice"' in accounts.text
    assert 'name="state" value="the-state"' in consent.text
    assert "Riverside" in consent.text
    assert 'id="accept">Accept</button>' in consent.text
    assert 'id="cancel">Cancel</button>' in consent.text


def test_consent_pages_allow_no_script(cloud):
    policy = cloud.authorize().headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_accept_returns_code_and_state(cloud):
    parameters = returned(cloud.decide())

    assert parameters["code"].startswith("CNRY")
    assert parameters["state"] == "the-state"


def test_cancel_returns_access_denied(cloud):
    assert returned(cloud.decide(decision="cancel")) == {
        "error": "access_denied",
        "error_description": "User did not authorize the request",
        "state": "the-state",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "somebody-else"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": ""},
        {"scope": "read:jira-work"},
        {"scope": ""},
        {"audience": "api.example.com"},
        {"prompt": "none"},
        {"response_type": "token"},
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["authorize", "decide"])
def test_wrong_request_ends_on_error_page_and_never_calls_back(cloud, step, changes):
    response = getattr(cloud, step)(**changes)

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "You were not sent back" in response.text


def test_parameter_given_twice_is_refused(cloud):
    asked = [*cloud.asked().items(), ("state", "another")]

    response = cloud.http.get(f"{cloud.part.url}/authorize", params=asked)

    assert response.status_code == 400


def test_site_of_another_person_is_refused(cloud):
    assert cloud.decide(account="bob", site="northwind").status_code == 400


def test_sites_accumulate_over_passes_and_old_tokens_reach_them(cloud):
    first = cloud.linked(site="northwind")
    cloud.linked(site=RIVERSIDE.id)

    resources = cloud.get("/oauth/token/accessible-resources", first).json()

    assert {one["name"] for one in resources} == {"Northwind", "Riverside"}


def test_resource_level_token_reaches_the_site_of_its_consent_only(cloud):
    cloud.part.behaviour.change({"grant_level": "resource"})
    first = cloud.linked(site="northwind")
    cloud.linked(site="riverside")

    resources = cloud.get("/oauth/token/accessible-resources", first).json()

    assert {one["name"] for one in resources} == {"Northwind"}


def test_consent_without_product_scope_asks_for_no_site(cloud):
    page = cloud.authorize(account="alice", scope="read:me")
    answer = cloud.linked(scope="read:me", site="")

    assert 'id="site"' not in page.text
    assert cloud.get("/oauth/token/accessible-resources", answer).json() == []


def test_withheld_scopes_are_not_granted(cloud):
    cloud.part.behaviour.change({"withheld_scopes": "write:page:confluence"})

    granted = cloud.linked()["scope"].split()

    assert "read:page:confluence" in granted
    assert "write:page:confluence" not in granted


def test_later_consent_replaces_scopes_of_the_grant(cloud):
    first = cloud.linked()
    cloud.linked(scope="offline_access read:space:confluence")

    assert cloud.call("/api/v2/spaces", first).status_code == 200
    assert cloud.call("/api/v2/pages", first).status_code == 401


def test_person_without_confluence_gets_jira_site_only(cloud):
    answer = cloud.linked(account="carol", site="tickets")

    (resource,) = cloud.get("/oauth/token/accessible-resources", answer).json()

    assert resource["id"] == TICKETS.id
    assert not any("confluence" in scope for scope in resource["scopes"])
