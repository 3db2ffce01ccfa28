from __future__ import annotations

import base64
import hashlib

import pytest

from tests.sandbox.flows import CALLBACK, returned


def challenge(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize("version", ["latest", "1.0"])
def test_authorize_leads_to_login_then_consent(data_center, version):
    login = data_center.authorize(version)
    page = data_center.http.get(
        f"{data_center.part.url[:-11]}{login.headers['Location']}"
    )
    consent = data_center.call(
        "/plugins/servlet/oauth2/consent",
        params={**data_center.asked(), "username": "dora"},
    )

    assert login.headers["Location"].startswith("/confluence/login.action?")
    assert 'id="user-dora"' in page.text
    assert 'id="allow">Allow</button>' in consent.text
    assert 'id="deny">Deny</button>' in consent.text


def test_allow_returns_code_and_state(data_center):
    parameters = returned(data_center.decide())

    assert parameters["code"].startswith("CNRY")
    assert parameters["state"] == "the-state"


def test_deny_returns_access_denied(data_center):
    assert returned(data_center.decide(decision="deny"))["error"] == "access_denied"


def test_scope_above_the_ceiling_is_invalid(data_center):
    assert returned(data_center.authorize(scope="ADMIN"))["error"] == "invalid_scope"


def test_cloud_scope_is_invalid(data_center):
    response = data_center.authorize(scope="read:me")

    assert returned(response)["error"] == "invalid_scope"


def test_lower_scope_is_inside_the_ceiling(data_center):
    assert data_center.authorize(scope="READ").headers["Location"].startswith("/")


def test_unregistered_redirect_uri_never_calls_back(data_center):
    response = data_center.authorize(redirect_uri=CALLBACK + "/other")

    assert response.status_code == 400
    assert "Location" not in response.headers


def test_authorize_is_missing_while_oauth_is_off(data_center):
    data_center.part.behaviour.change({"oauth_enabled": False})

    assert data_center.authorize().status_code == 404


def test_answer_has_the_documented_fields(data_center):
    answer = data_center.linked()

    assert answer.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "created_at",
    }
    assert answer["token_type"] == "bearer"


def test_json_body_is_a_server_error(data_center):
    url = f"{data_center.part.url}/rest/oauth2/latest/token"

    response = data_center.http.post(url, json={"grant_type": "refresh_token"})

    assert response.status_code == 500
    assert "@FormParam" in response.text


@pytest.mark.parametrize("length", [43, 127])
def test_right_verifier_is_taken(data_center, length):
    verifier = "v" * length
    code = returned(data_center.decide(**challenge(verifier)))["code"]

    assert data_center.exchange(code, code_verifier=verifier).status_code == 200


@pytest.mark.parametrize("verifier", ["", "v" * 42, "v" * 128, "w" * 43])
def test_wrong_verifier_is_refused(data_center, verifier):
    asked = challenge("v" * 128 if len(verifier) == 128 else "v" * 43)
    code = returned(data_center.decide(**asked))["code"]

    response = data_center.exchange(code, code_verifier=verifier)

    assert response.status_code == 400
    assert response.json()["error"] in {"invalid_request", "invalid_grant"}


def test_code_lives_ten_seconds(data_center, box):
    code = returned(data_center.decide())["code"]
    box.clock.advance(10)

    response = data_center.exchange(code)

    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_wrong_secret_is_an_invalid_client(data_center):
    answer = data_center.linked()

    response = data_center.refresh(answer["refresh_token"], client_secret="wrong")

    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


def test_refresh_ends_both_old_tokens_at_once(data_center):
    first = data_center.linked()

    second = data_center.refresh(first["refresh_token"]).json()
    reused = data_center.refresh(first["refresh_token"])

    assert reused.status_code == 400
    assert reused.json()["error"] == "invalid_grant"
    assert data_center.call("/rest/api/user/current", first).status_code == 401
    assert data_center.call("/rest/api/user/current", second).status_code == 200
    assert data_center.refresh(second["refresh_token"]).status_code == 200


def test_refresh_without_redirect_uri_is_refused_and_spends_nothing(data_center):
    answer = data_center.linked()

    refused = data_center.refresh(answer["refresh_token"], redirect_uri="")

    assert refused.json()["error"] == "invalid_grant"
    assert data_center.refresh(answer["refresh_token"]).status_code == 200


def test_static_refresh_token_stays(data_center):
    data_center.part.behaviour.change({"rotates_refresh_tokens": False})
    first = data_center.linked()

    for _ in range(2):
        again = data_center.refresh(first["refresh_token"]).json()

    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]


def test_person_revokes_under_authorized_applications(data_center):
    answer = data_center.linked()
    path = "/plugins/servlet/oauth2/authorized-applications"
    before = data_center.call(path).text

    data_center.call(path, method="POST", data={"username": "dora"})

    assert 'id="revoke-dora"' in before
    assert 'id="revoke-dora"' not in data_center.call(path).text
    assert data_center.refresh(answer["refresh_token"]).status_code == 400
    assert data_center.call("/rest/api/user/current", answer).status_code == 401
