from __future__ import annotations

import pytest


@pytest.fixture
def control(box, http):
    def call(method, path, **body):
        url = f"{box.cloud.url}/_sandbox/{path}"
        return http.request(method, url, json=body or None)

    return call


def test_state_shows_each_part_and_no_token(control, cloud, data_center):
    cloud.linked()
    data_center.linked()

    response = control("GET", "")

    parts = response.json()["parts"]
    assert parts["cloud"]["families"][0]["account_id"] == "5be24ad8b1653240376955d2"
    assert parts["data-center"]["statistics"]["exchange.authorization_code.ok"] == 1
    assert "CNRY" not in response.text


def test_fault_is_added_and_cleared(control, cloud):
    control("POST", "cloud/faults", place="token", preset="server_error")
    faulty = cloud.refresh("x")
    control("DELETE", "cloud/faults?place=token")

    assert faulty.status_code == 500
    assert cloud.refresh("x").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "cloud/faults", {"place": "nowhere", "preset": "slow"}),
        ("POST", "cloud/faults", {"place": "token", "preset": "nothing"}),
        ("POST", "cloud/faults", {"place": "token", "preset": "slow", "no": 1}),
        ("POST", "cloud/faults", {"preset": "slow"}),
        ("POST", "cloud/account", {"account": "alice", "status": "gone"}),
        ("PATCH", "cloud/behaviour", {"no_such": 1}),
        ("PATCH", "cloud/behaviour", {"leeway_seconds": "soon"}),
        ("PATCH", "cloud/behaviour", {"pkce_checked": 1}),
    ],
)
def test_wrong_change_is_refused(control, method, path, body):
    assert control(method, path, **body).status_code == 400


def test_many_consents_are_families_of_their_own(control, cloud):
    answers = control("POST", "cloud/consents", account_id="alice", count=3).json()

    refreshed = [cloud.refresh(one["refresh_token"]).status_code for one in answers]

    assert refreshed == [200, 200, 200]
    assert [one["refreshes"] for one in cloud.part.families()] == [1, 1, 1]


def test_unknown_part_is_not_found(control):
    assert control("GET", "jira").status_code == 404


def test_behaviour_changes_and_reset_brings_it_back(control, cloud):
    control("PATCH", "cloud/behaviour", access_token_seconds=60)
    short = cloud.linked()
    control("POST", "reset")

    assert short["expires_in"] == 60
    assert cloud.linked()["expires_in"] == 3600
    assert cloud.refresh(short["refresh_token"]).status_code == 403


def test_clock_advances(control, cloud):
    answer = cloud.linked()

    control("POST", "clock", advance_seconds=4000)

    assert cloud.get("/me", answer).status_code == 401


def test_grants_are_ended_from_outside(control, cloud, data_center):
    cloud.linked()
    data_center.linked()

    revoked = control("POST", "cloud/revoke", account="alice")
    changed = control("POST", "data-center/password", account="dora")

    assert revoked.json() == {"ended_families": 1}
    assert changed.json() == {"ended_families": 1}


def test_site_is_left(control, cloud):
    answer = cloud.linked()

    control("POST", "cloud/leave-site", account="alice", site="northwind")

    assert cloud.get("/oauth/token/accessible-resources", answer).json() == []


def test_account_is_renamed_and_closed(control, cloud):
    answer = cloud.linked()

    control("POST", "cloud/account", account="alice", name="Al", status="closed")

    assert cloud.get("/me", answer).json()["name"] == "Al"
    assert cloud.part.account_statuses["5be24ad8b1653240376955d2"] == "closed"
    assert control("GET", "cloud/reported").json() == {"accounts": []}


def test_client_secret_and_redirect_uris_change(control, cloud):
    secret = control("POST", "cloud/client-secret", client_secret="new").json()
    uris = control("POST", "cloud/redirect-uris", redirect_uri="http://127.0.0.1:9/2")

    cloud.part.client.redirect_uris.remove("http://127.0.0.1:9/2")
    assert secret == {"client_secret": "new"}
    assert "http://127.0.0.1:9/2" in uris.json()["redirect_uris"]


def test_what_is_held_is_released(control, box):
    released = box.cloud.faults.released

    control("POST", "cloud/release")

    assert released.is_set()
    assert not box.cloud.faults.released.is_set()
