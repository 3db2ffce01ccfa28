"""What was granted, whose account it is and what it reaches: refused unless all is
known."""

from __future__ import annotations

import json

import pytest

from tests import link_steps

HTML = "<!doctype html><title>Oops</title>"


pytestmark = pytest.mark.usefixtures("nothing_is_linked_after")


def test_l38_a_consent_to_less_than_was_asked_says_what_is_missing(
    alice_client, started, sandbox
):
    sandbox.cloud.behaviour.change({"withheld_scopes": "write:page:confluence"})
    back = link_steps.consent_to_cloud(sandbox, started)
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "missing_scopes"
    assert "Create and change pages" in answer.content.decode()
    assert "Read pages" not in answer.content.decode()


def test_an_account_without_confluence_has_its_page(alice_client, started, sandbox):
    back = link_steps.consent_to_cloud(
        sandbox, started, account="carol", site="tickets"
    )
    answer = link_steps.come_back(alice_client, back)
    assert link_steps.reason_of(answer) == "no_site"


@pytest.mark.parametrize(
    ("place", "fault", "options", "reason"),
    [
        ("me", "unauthorized", {}, "no_identity"),
        ("me", "rate_limited", {"retry_after": "3600"}, "provider_busy"),
        ("me", "server_error", {}, "provider_down"),
        ("me", "custom", {"body": HTML}, "provider_down"),
        ("me", "redirect", {"location": "https://evil/"}, "provider_down"),
        ("sites", "custom", {"status": 403}, "no_identity"),
        ("sites", "custom", {"body": '{"not": "a list"}'}, "provider_down"),
        ("sites", "custom", {"body": "[]"}, "no_site"),
        (
            "sites",
            "custom",
            {
                "status": 401,
                "body": '{"code":401,"message":"Unauthorized; scope does not match"}',
            },
            "missing_scopes",
        ),
    ],
)
def test_each_answer_about_person_and_sites_has_its_page(
    come_back_from_cloud, sandbox, place, fault, options, reason
):
    sandbox.cloud.faults.add(place, fault, **options)
    assert link_steps.reason_of(come_back_from_cloud()) == reason


@pytest.mark.parametrize(
    "account_id",
    [
        "",
        " ",
        None,
        [],
        {},
        True,
        1.5,
        "a" * 300,
        "a\x00b",
        "añb",
        "\uff41bc",
        "a\u200bb",
        "a'b",
    ],
)
def test_l33_an_account_id_that_is_none_is_refused(
    come_back_from_cloud, sandbox, account_id
):
    _says(sandbox.cloud, "me", {"account_id": account_id, "name": "Evil"})
    assert link_steps.reason_of(come_back_from_cloud()) == "no_identity"


@pytest.mark.parametrize(
    "user_key",
    ["", None, 1.5, [], True, "a" * 300, "a" * 192, "a b", "\uff41b", "a\x00b"],
)
def test_l33_a_user_key_that_is_none_is_refused(
    alice_client, back_from_wiki, sandbox, user_key
):
    _says(sandbox.data_center, "api", {"type": "known", "userKey": user_key})
    answer = link_steps.come_back(alice_client, back_from_wiki)
    assert link_steps.reason_of(answer) == "no_identity"


def _says(part, place, body):
    part.faults.add(place, "custom", body=json.dumps(body))


def test_a_server_that_says_anonymous_has_its_page(
    alice_client, back_from_wiki, sandbox
):
    _says(sandbox.data_center, "api", {"type": "anonymous"})
    answer = link_steps.come_back(alice_client, back_from_wiki)
    assert link_steps.reason_of(answer) == "anonymous"


def test_an_address_that_may_not_be_reached_has_its_page(
    alice_client, back_from_wiki, sandbox, settings
):
    settings.CONFLUENCE_LINK_ALLOWED_PRIVATE_HOSTS = []
    answer = link_steps.come_back(alice_client, back_from_wiki)
    assert link_steps.reason_of(answer) == "blocked_address"
    assert link_steps.token_calls(sandbox) == 0
