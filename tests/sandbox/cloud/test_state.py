"""Cloud's token endpoint: its rotation, and the words of its refusals."""

from __future__ import annotations

import pytest

from tests.sandbox.flows import CALLBACK, returned

DAY = 86_400
INVALID = {
    "error": "unauthorized_client",
    "error_description": "refresh_token is invalid",
}
UNKNOWN = {
    "error": "invalid_grant",
    "error_description": "Unknown or invalid refresh token.",
}
BAD_CODE = {
    "error": "invalid_request",
    "error_description": "authorization_code is invalid",
}


def test_code_is_exchanged_for_tokens(cloud):
    response = cloud.exchange(returned(cloud.decide())["code"])

    answer = response.json()
    assert response.status_code == 200
    assert answer["access_token"].startswith("CNRY")
    assert len(answer["access_token"]) == 2000
    assert answer["refresh_token"].startswith("CNRY")
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"
    assert "read:page:confluence" in answer["scope"].split()


def test_form_body_is_taken_too(cloud):
    client = cloud.part.client

    response = cloud.http.post(
        f"{cloud.part.url}/oauth/token",
        data={
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "code": returned(cloud.decide())["code"],
            "redirect_uri": CALLBACK,
        },
    )

    assert response.status_code == 200


def test_parameters_in_the_query_do_not_count(cloud):
    response = cloud.http.post(
        f"{cloud.part.url}/oauth/token",
        params={"grant_type": "refresh_token"},
    )

    assert response.json()["error"] == "unsupported_grant_type"


def test_no_refresh_token_without_offline_access(cloud):
    assert "refresh_token" not in cloud.linked(scope="read:me", site="")


def test_code_is_good_once(cloud):
    code = returned(cloud.decide())["code"]
    cloud.exchange(code)

    response = cloud.exchange(code)

    assert (response.status_code, response.json()) == (403, BAD_CODE)


def test_code_expires(cloud, box):
    code = returned(cloud.decide())["code"]
    box.clock.advance(300)

    assert cloud.exchange(code).json() == BAD_CODE


def test_code_needs_the_redirect_uri_it_was_issued_for(cloud):
    code = returned(cloud.decide())["code"]
    response = cloud.token(
        grant_type="authorization_code", code=code, redirect_uri="http://127.0.0.1:9/"
    )

    assert response.json() == BAD_CODE


@pytest.mark.parametrize("field", ["client_secret", "client_id"])
def test_wrong_client_is_unauthorized(cloud, field):
    answer = cloud.linked()

    response = cloud.refresh(answer["refresh_token"], **{field: "wrong"})

    assert response.status_code == 401
    assert response.json() == {
        "error": "access_denied",
        "error_description": "Unauthorized",
    }


def test_pkce_is_not_looked_at_unless_configured(cloud):
    challenge = {"code_challenge": "c" * 43, "code_challenge_method": "S256"}
    ignored = cloud.exchange(returned(cloud.decide(**challenge))["code"])
    cloud.part.behaviour.change({"pkce_checked": True})
    checked = cloud.exchange(
        returned(cloud.decide(**challenge))["code"], code_verifier="v" * 43
    )

    assert ignored.status_code == 200
    assert checked.json() == BAD_CODE


def test_refresh_rotates_the_token(cloud):
    first = cloud.linked()

    second = cloud.refresh(first["refresh_token"]).json()

    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]


def test_retired_token_is_exchanged_again_inside_the_leeway(cloud, box):
    first = cloud.linked()
    cloud.refresh(first["refresh_token"])
    box.clock.advance(599)

    response = cloud.refresh(first["refresh_token"])

    (family,) = cloud.part.families()
    assert response.status_code == 200
    assert family["refreshes"] == 2
    assert family["reuses_inside_leeway"] == 1
    assert family["live_refresh_tokens"] == 2
    assert family["breaches"] == 0


def test_reuse_after_the_leeway_kills_the_whole_family(cloud, box):
    first = cloud.linked()
    second = cloud.refresh(first["refresh_token"]).json()
    box.clock.advance(601)

    reused = cloud.refresh(first["refresh_token"])
    successor = cloud.refresh(second["refresh_token"])

    (family,) = cloud.part.families()
    assert (reused.status_code, reused.json()) == (403, INVALID)
    assert (successor.status_code, successor.json()) == (403, INVALID)
    assert family["breaches"] == 1


def test_last_wins_retires_the_earlier_successor(cloud, box):
    cloud.part.behaviour.change({"reuse": "last_wins"})
    first = cloud.linked()
    lost = cloud.refresh(first["refresh_token"]).json()
    kept = cloud.refresh(first["refresh_token"]).json()
    box.clock.advance(601)

    assert cloud.refresh(kept["refresh_token"]).status_code == 200
    assert cloud.refresh(lost["refresh_token"]).status_code == 403


def test_idempotent_reuse_repeats_the_answer(cloud):
    cloud.part.behaviour.change({"reuse": "idempotent"})
    first = cloud.linked()

    answers = [cloud.refresh(first["refresh_token"]).json() for _ in range(2)]

    assert answers[0] == answers[1]
    assert cloud.refresh(answers[0]["refresh_token"]).status_code == 200


def test_old_access_token_dies_ten_minutes_after_rotation(cloud, box):
    first = cloud.linked()
    cloud.refresh(first["refresh_token"])
    box.clock.advance(599)
    alive = cloud.get("/me", first)
    box.clock.advance(2)

    assert alive.status_code == 200
    assert cloud.get("/me", first).status_code == 401


@pytest.mark.parametrize("days", [90, 365])
def test_idle_and_absolute_life_end(cloud, box, days):
    answer = cloud.linked()
    for _ in range(days // 90 - 1):
        box.clock.advance(80 * DAY)
        answer = cloud.refresh(answer["refresh_token"]).json()
    box.clock.advance(90 * DAY if days == 90 else 45 * DAY + 81 * DAY)

    response = cloud.refresh(answer["refresh_token"])

    assert (response.status_code, response.json()) == (403, UNKNOWN)


def test_password_change_ends_refreshing_but_not_the_access_token(cloud):
    answer = cloud.linked()

    cloud.part.change_password("alice")

    assert cloud.refresh(answer["refresh_token"]).json() == UNKNOWN
    assert cloud.get("/me", answer).status_code == 200


def test_revocation_ends_everything_of_the_account_only(cloud):
    alice, bob = cloud.linked(), cloud.linked(account="bob", site="riverside")

    cloud.part.revoke("alice")

    assert cloud.refresh(alice["refresh_token"]).json() == INVALID
    assert cloud.get("/me", alice).status_code == 401
    assert cloud.refresh(bob["refresh_token"]).status_code == 200


def test_rotated_client_secret_refuses_the_old_one_unless_kept(cloud):
    answer = cloud.linked()
    old = cloud.part.client.client_secret

    cloud.part.rotate_client_secret("overlapping", keep_old=True)
    overlapping = cloud.refresh(answer["refresh_token"], client_secret=old)
    cloud.part.rotate_client_secret("only")
    refused = cloud.refresh(answer["refresh_token"], client_secret=old)

    assert overlapping.status_code == 200
    assert refused.status_code == 401


def test_exchanges_are_counted_by_kind_and_result(cloud):
    answer = cloud.linked()
    cloud.refresh(answer["refresh_token"])
    cloud.refresh("CNRY-unknown")

    statistics = cloud.part.statistics
    assert statistics["exchange.authorization_code.ok"] == 1
    assert statistics["exchange.refresh_token.ok"] == 1
    assert statistics["exchange.refresh_token.unauthorized_client"] == 1
    assert statistics["request.token"] == 3
    assert statistics.total("exchange.") == 3
