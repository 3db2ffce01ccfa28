from __future__ import annotations

import pytest

from confluence_link.atlassian import Account, Site
from confluence_link.errors import LinkRefused, NotPermitted, Unavailable

ME = "/confluence/rest/api/user/current"


def known(**fields):
    return {
        "type": "known",
        "username": "dora",
        "userKey": "8a7f808a7f808a7f",
        "displayName": "Dora",
        **fields,
    }


def test_the_account_is_the_user_key_and_not_the_user_name(data_center, wire):
    wire.answer(ME, known())

    assert data_center.identity() == Account("8a7f808a7f808a7f", "Dora")


def test_the_user_key_has_two_spellings(data_center, wire):
    user = known(userkey="8a7f808a7f808a7f")
    del user["userKey"]
    wire.answer(ME, user)

    assert data_center.identity() == Account("8a7f808a7f808a7f", "Dora")


@pytest.mark.parametrize("kind", ["anonymous", "unknown", None])
def test_whoever_is_not_known_is_anonymous(data_center, wire, kind):
    wire.answer(ME, known(type=kind))

    with pytest.raises(LinkRefused) as caught:
        data_center.identity()
    assert caught.value.reason == "anonymous"


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 256, "a\n"])
def test_a_user_without_a_key_is_no_account(data_center, wire, key):
    wire.answer(ME, known(userKey=key))

    with pytest.raises(LinkRefused) as caught:
        data_center.identity()
    assert caught.value.reason == "no_identity"


def test_a_login_page_is_a_refusal(data_center, wire):
    wire.answer(ME, b"<html>log in</html>", status=401)

    with pytest.raises(NotPermitted):
        data_center.identity()


def test_a_page_for_people_is_no_answer(data_center, wire):
    wire.answer(ME, b"<html>maintenance</html>")

    with pytest.raises(Unavailable):
        data_center.identity()


def test_the_only_site_is_the_server_itself(data_center, wire):
    base_url = f"{wire.url}/confluence"

    sites = data_center.reachable_sites()

    assert sites == (Site(base_url, "Company wiki", base_url, "", ("WRITE",)),)
    assert wire.asked == []
