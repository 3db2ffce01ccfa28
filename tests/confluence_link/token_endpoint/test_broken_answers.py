"""What is kept of an answer that is not what it should be.

Tests named after a number prove that line of 2.4 in the list of threats.
"""

from __future__ import annotations

import pytest

from confluence_link import token_endpoint
from confluence_link.errors import TransportError
from confluence_link.http import Deadline
from tests.confluence_link.token_endpoint.exchanges import (
    GOOD,
    answer_with,
    endpoint_of,
    exchange_code,
    refresh,
    refusal,
)


@pytest.mark.parametrize(
    "preset",
    [
        "empty",
        "null",
        "list",
        "string",
        "not_a_number",
        "cut_off",
        "duplicate_keys",
        "bad_utf8",
        "byte_order_mark",
        "utf16",
        "expires_in_not_a_number",
    ],
)
def test_h05_an_unreadable_200_is_uncertain(
    sandbox, cloud_app, cloud_token_set, preset
):
    sandbox.cloud.faults.add("token", preset, times=1)

    refused = refusal(refresh, cloud_app, cloud_token_set.refresh_token)

    assert (refused.answer, refused.error) == ("uncertain", "malformed")


def test_h05_deep_nesting_is_uncertain(sandbox, cloud_app):
    answer_with(sandbox, "[" * 30_000 + "]" * 30_000)

    assert refusal(refresh, cloud_app).answer == "uncertain"


@pytest.mark.parametrize("preset", ["endless", "compressed"])
def test_h01_h02_a_body_that_is_not_taken_in_is_uncertain(
    sandbox, cloud_app, cloud_token_set, preset
):
    sandbox.cloud.faults.add("token", preset, times=1)

    with pytest.raises(TransportError) as caught:
        refresh(cloud_app, cloud_token_set.refresh_token)

    assert caught.value.sent
    assert caught.value.reason in {"too_large", "encoded"}


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3600.0, 3600),
        (None, 3600),
        (-5, 60),
        (0, 60),
        (59, 60),
        (61, 61),
        (86_400, 86_400),
        (86_401, 86_400),
        (10**20, 86_400),
        ("9" * 20, 86_400),
        (1e300, 86_400),
    ],
)
def test_h06_the_life_of_a_token_is_clamped(sandbox, cloud_app, expires_in, seconds):
    answer_with(sandbox, GOOD | {"expires_in": expires_in})

    token_set = refresh(cloud_app)

    assert token_set.access_token == "CNRY-a"
    assert token_set.expires_in_seconds == seconds


def test_h06_a_life_that_is_not_told_is_an_hour(sandbox, cloud_app):
    answer_with(sandbox, {"access_token": "CNRY-a", "refresh_token": "CNRY-r"})

    assert refresh(cloud_app).expires_in_seconds == 3600


def test_h18_the_shortest_life_is_the_callers(sandbox, cloud_app):
    answer_with(sandbox, GOOD | {"expires_in": 1})

    token_set = token_endpoint.refresh(
        endpoint=endpoint_of(cloud_app, min_expires_in_seconds=7),
        refresh_token="CNRY-old",
        deadline=Deadline(5),
    )

    assert token_set.expires_in_seconds == 7


BROKEN = [
    {"expires_in": "soon"},
    {"expires_in": "3600.5"},
    {"expires_in": 3600.5},
    {"expires_in": "9" * 21},
    {"expires_in": " 3600"},
    {"expires_in": "-5"},
    {"expires_in": True},
    {"expires_in": [3600]},
    {"access_token": 12345},
    {"access_token": ["CNRY"]},
    {"access_token": None},
    {"access_token": ""},
    {"token_type": "mac"},
    {"token_type": ["Bearer"]},
]


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_h08_the_refresh_token_of_a_half_broken_answer_is_kept(
    sandbox, cloud_app, change
):
    answer_with(sandbox, GOOD | change)

    token_set = refresh(cloud_app)

    assert (token_set.access_token, token_set.refresh_token) == ("", "CNRY-r")
    assert token_set.expires_in_seconds == 60


def test_h08_a_refresh_token_alone_is_kept(sandbox, cloud_app, cloud_token_set):
    sandbox.cloud.faults.add("token", "refresh_token_only", times=1)

    token_set = refresh(cloud_app, cloud_token_set.refresh_token)

    assert token_set.access_token == ""
    assert refresh(cloud_app, token_set.refresh_token).access_token


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_h08_a_broken_answer_without_a_refresh_token_is_uncertain(
    sandbox, cloud_app, change
):
    answer_with(sandbox, GOOD | {"refresh_token": None} | change)

    assert refusal(refresh, cloud_app).error == "malformed"


def test_h08_a_code_needs_a_whole_answer(sandbox, cloud_app):
    answer_with(sandbox, GOOD | {"access_token": ""})

    refused = refusal(exchange_code, cloud_app)

    assert (refused.answer, refused.error) == ("uncertain", "malformed")


@pytest.mark.parametrize("refresh_token", [None, "", 5, ["CNRY"]])
def test_h07_an_answer_without_a_refresh_token_says_none(
    sandbox, cloud_app, refresh_token
):
    answer_with(sandbox, GOOD | {"refresh_token": refresh_token})

    token_set = refresh(cloud_app)

    assert (token_set.access_token, token_set.refresh_token) == ("CNRY-a", None)


def test_h09_the_same_refresh_token_may_come_back(sandbox, cloud_app, cloud_token_set):
    sandbox.cloud.behaviour.change({"rotates_refresh_tokens": False})

    token_set = refresh(cloud_app, cloud_token_set.refresh_token)

    assert token_set.refresh_token == cloud_token_set.refresh_token
    assert token_set.access_token != cloud_token_set.access_token


ODD_TOKENS = [
    "CNRY\r\nX-Injected: 1",
    "CNRY\n",
    "CNRY\x00",
    "CNRY token",
    " CNRY",
    "CNRYö",
    "CNRY" + "a" * 16_381,
]
# A header must not carry these; the body of an exchange may.
ODD_IN_HEADERS = ['CNRY"', "CNRY,", "CNRY:1|a"]


@pytest.mark.parametrize(
    "token", ODD_TOKENS + ODD_IN_HEADERS, ids=lambda token: ascii(token[:12])
)
def test_h10_an_access_token_of_odd_characters_is_no_token(sandbox, cloud_app, token):
    answer_with(sandbox, GOOD | {"access_token": token})

    assert refresh(cloud_app).access_token == ""


@pytest.mark.parametrize("token", ODD_TOKENS, ids=lambda token: ascii(token[:12]))
def test_h10_a_refresh_token_of_odd_characters_is_no_token(sandbox, cloud_app, token):
    answer_with(sandbox, GOOD | {"refresh_token": token})

    assert refresh(cloud_app).refresh_token is None


@pytest.mark.parametrize("kept", ODD_IN_HEADERS)
def test_a_refresh_token_has_the_characters_of_rfc_6749(sandbox, cloud_app, kept):
    answer_with(sandbox, GOOD | {"refresh_token": kept})

    assert refresh(cloud_app).refresh_token == kept


def test_h10_a_token_may_be_long_and_have_every_character_of_rfc_6750(
    sandbox, cloud_app
):
    token = "CNRY-._~+/=" + "a" * (16_384 - 11)
    answer_with(sandbox, GOOD | {"access_token": token})

    assert refresh(cloud_app).access_token == token


@pytest.mark.parametrize("token_type", ["Bearer", "bearer", "BEARER"])
def test_the_token_type_is_compared_without_case(sandbox, cloud_app, token_type):
    answer_with(sandbox, GOOD | {"token_type": token_type})

    assert refresh(cloud_app).access_token == "CNRY-a"


@pytest.mark.parametrize(
    ("scope", "scopes"),
    [
        ("write:page read:page  read:page\n", ("read:page", "write:page")),
        ("", None),
        ("   ", None),
        (None, None),
        (["read:page"], None),
        # PostgreSQL takes no NUL, and the answer must not be lost for it.
        ('read:page bad\x00one quo"te ö ' + "x" * 201, ("read:page",)),
        ("\x00", None),
    ],
)
def test_scopes_are_read_as_a_set(sandbox, cloud_app, scope, scopes):
    answer_with(sandbox, GOOD | {"scope": scope})

    assert refresh(cloud_app).scopes == scopes
