from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    ("preset", "name", "value"),
    [
        ("access_token_integer", "access_token", 12345),
        ("access_token_null", "access_token", None),
        ("expires_in_string", "expires_in", "3600"),
        ("expires_in_true", "expires_in", True),
        ("expires_in_huge", "expires_in", 10**20),
        ("error_with_200", "error", "invalid_grant"),
    ],
)
def test_one_member_is_spoiled(cloud, preset, name, value):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1)

    spoiled = cloud.refresh(answer["refresh_token"]).json()

    assert spoiled[name] == value
    assert spoiled["refresh_token"] in cloud.part.store.refresh_tokens


def test_refresh_token_is_left_out_but_exists(cloud):
    answer = cloud.linked()
    cloud.part.faults.add("token", "refresh_token_missing", times=1)

    spoiled = cloud.refresh(answer["refresh_token"]).json()

    assert "refresh_token" not in spoiled
    assert cloud.part.families()[0]["live_refresh_tokens"] == 1


def test_only_the_refresh_token_is_left(cloud):
    answer = cloud.linked()
    cloud.part.faults.add("token", "refresh_token_only", times=1)

    assert cloud.refresh(answer["refresh_token"]).json().keys() == {"refresh_token"}


def test_refusals_are_not_spoiled(cloud):
    cloud.part.faults.add("token", "access_token_null", times=1)

    assert cloud.refresh("unknown").json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("preset", ["bad_utf8", "byte_order_mark", "cut_off"])
def test_body_is_not_json(cloud, preset):
    answer = cloud.linked()
    cloud.part.faults.add("token", preset, times=1)

    body = cloud.refresh(answer["refresh_token"]).content

    with pytest.raises(ValueError, match=r".*"):
        json.loads(body.decode("utf-8"))
