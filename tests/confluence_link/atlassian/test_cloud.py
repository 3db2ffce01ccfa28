"""Whose token it is and what it reaches, against odd answers."""

from __future__ import annotations

import pytest

from confluence_link.atlassian import Account
from confluence_link.errors import (
    LinkRefused,
    NotPermitted,
    TransportError,
    Unavailable,
)

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"
OTHER_ID = "2435b998-45db-1bf4-1e99-ef0ff456d421"
SITES = "/oauth/token/accessible-resources"
ICON = "https://site-admin-avatar-cdn.prod.public.atl-paas.net/avatars/240/star.png"


def me_at(cloud_id):
    return f"/ex/confluence/{cloud_id}/wiki/rest/api/user/current"


def entry(cloud_id=CLOUD_ID, **fields):
    return {
        "id": cloud_id,
        "url": "http://127.0.0.1/site/northwind",
        "name": "Northwind",
        "scopes": ["read:page:confluence"],
        "avatarUrl": ICON,
        **fields,
    }


# --- identity -------------------------------------------------------------------


@pytest.mark.parametrize(
    "account_id",
    [
        "5be24ad8b1653240376955d2",
        "712020:0c1f6a3e-3c2f-4e7c-9a55-6f1f5f0b0b02",
        "a" * 128,
    ],
)
def test_the_account_is_the_one_of_me(cloud, wire, account_id):
    wire.answer("/me", {"account_id": account_id, "name": " Alice\x00 Adams\n"})

    assert cloud.identity() == Account(account_id, "Alice Adams")
    (asked,) = wire.asked
    assert asked.headers["Authorization"] == "Bearer an-access-token"
    assert asked.headers["Accept"] == "application/json"


def test_a_profile_without_a_name_may_have_a_nickname(cloud, wire):
    wire.answer("/me", {"account_id": "alice", "name": "", "nickname": "Ally"})

    assert cloud.identity() == Account("alice", "Ally")


@pytest.mark.parametrize("account_id", [None, "", "a/b", "a" * 129, "ö", ["x"], "a b"])
def test_an_account_without_a_proper_id_is_none(cloud, wire, account_id):
    wire.answer("/me", {"account_id": account_id, "name": "Alice"})

    with pytest.raises(LinkRefused) as caught:
        cloud.identity()
    assert caught.value.reason == "no_identity"


def test_a_name_is_not_needed(cloud, wire):
    wire.answer("/me", {"account_id": "alice"})

    assert cloud.identity() == Account("alice", "")


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b""), (401, {"code": 401, "message": "Unauthorized; scope does not match"})],
)
def test_without_the_scope_for_me_a_site_tells_who_it_is(cloud, wire, status, body):
    wire.answer("/me", body, status=status)
    wire.answer(SITES, [entry()])
    user = {"type": "known", "accountId": "alice", "displayName": "Alice"}
    wire.answer(me_at(CLOUD_ID), user)

    assert cloud.identity() == Account("alice", "Alice")


def test_the_next_site_is_asked_where_the_first_does_not_let_us_in(cloud, wire):
    wire.answer("/me", status=403)
    wire.answer(SITES, [entry(name="A"), entry(OTHER_ID, name="B")])
    wire.answer(me_at(CLOUD_ID), {"message": "not permitted"}, status=403)
    wire.answer(me_at(OTHER_ID), {"accountId": "alice", "publicName": "al"})

    assert cloud.identity() == Account("alice", "al")


def test_nobody_is_known_where_no_site_lets_us_in(cloud, wire):
    wire.answer("/me", status=403)
    wire.answer(SITES, [entry()])

    with pytest.raises(LinkRefused) as caught:
        cloud.identity()
    assert caught.value.reason == "no_identity"


def test_a_site_may_take_us_for_nobody(cloud, wire):
    wire.answer("/me", status=403)
    wire.answer(SITES, [entry()])
    wire.answer(me_at(CLOUD_ID), {"type": "anonymous"})

    with pytest.raises(LinkRefused) as caught:
        cloud.identity()
    assert caught.value.reason == "anonymous"


def test_a_refused_token_is_not_tried_elsewhere(cloud, wire):
    wire.answer("/me", {"code": 401, "message": "Unauthorized"}, status=401)

    with pytest.raises(NotPermitted):
        cloud.identity()
    assert len(wire.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", [], b""])
def test_a_profile_that_is_none_is_trouble(cloud, wire, body):
    wire.answer("/me", body)

    with pytest.raises(Unavailable):
        cloud.identity()


def test_a_profile_of_megabytes_is_not_read(cloud, wire):
    wire.answer("/me", {"account_id": "alice", "name": "x" * 1_000_000})

    with pytest.raises(TransportError):
        cloud.identity()


# --- sites ----------------------------------------------------------------------


def test_a_site_is_what_has_confluence_scopes(cloud, wire):
    jira = entry(OTHER_ID, scopes=["read:jira-work"])
    wire.answer(SITES, [jira, entry()])

    (site,) = cloud.reachable_sites()

    assert site.site_id == CLOUD_ID
    assert site.name == "Northwind"
    assert site.url == "http://127.0.0.1/site/northwind"
    assert site.icon_url == ICON
    assert site.scopes == ("read:page:confluence",)


def test_a_classic_scope_counts(cloud, wire):
    wire.answer(SITES, [entry(scopes=["search:confluence", "read:confluence-user"])])

    assert len(cloud.reachable_sites()) == 1


def test_one_site_in_several_entries_is_one_site(cloud, wire):
    wire.answer(
        SITES,
        [
            entry(scopes=["read:jira-work"], name="The Jira of it"),
            entry(scopes=["read:page:confluence"], url="javascript:x"),
            entry(CLOUD_ID.upper(), scopes=["search:confluence"]),
        ],
    )

    (site,) = cloud.reachable_sites()

    assert site.site_id == CLOUD_ID
    assert site.name == "Northwind"
    assert site.url == "http://127.0.0.1/site/northwind"
    assert site.scopes == ("read:page:confluence", "search:confluence")


def test_sites_come_by_name(cloud, wire):
    entries = [entry(OTHER_ID, name="beta"), entry(name="Alpha")]
    wire.answer(SITES, entries)

    assert [site.name for site in cloud.reachable_sites()] == ["Alpha", "beta"]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "../x"},
        {"id": None},
        {"id": "1324a88745db1bf41e99ef0ff456d421"},
        {"scopes": "read:page:confluence"},
        {"scopes": None},
        {"scopes": []},
    ],
)
def test_an_entry_that_is_no_site_is_dropped(cloud, wire, fields):
    wire.answer(SITES, [{**entry(), **fields}, "text", None, 7])

    assert cloud.reachable_sites() == ()


def test_s13_hostile_addresses_are_dropped_and_the_site_is_kept(cloud, wire):
    wire.answer(
        SITES, [entry(name="", url="javascript:alert(1)", avatarUrl="data:image/png,x")]
    )

    (site,) = cloud.reachable_sites()

    assert (site.url, site.icon_url) == ("", "")
    assert site.name == CLOUD_ID


def test_an_icon_may_come_from_what_serves_the_api(cloud, wire):
    wire.answer(SITES, [entry(avatarUrl=f"{wire.url}/avatar.svg")])

    (site,) = cloud.reachable_sites()

    assert site.icon_url == f"{wire.url}/avatar.svg"


@pytest.mark.parametrize(
    "elsewhere",
    [
        None,
        "https://secure.gravatar.com/avatar/1",
        "https://evil-atlassian.com/icon.png",
        "https://x.atlassian.net.evil.example/icon.png",
        "https://x.atlassian.net:8443/icon.png",
        "http://x.atlassian.net/icon.png",
        "http://127.0.0.1:1/icon.png",
    ],
)
def test_s13_an_icon_that_our_pages_may_not_load_is_dropped(cloud, wire, elsewhere):
    wire.answer(SITES, [entry(avatarUrl=elsewhere)])

    (site,) = cloud.reachable_sites()

    assert site.icon_url == ""


def test_five_hundred_sites_are_enough(cloud, wire):
    ids = [f"{number:08x}-45db-1bf4-1e99-ef0ff456d421" for number in range(600)]
    wire.answer(SITES, [entry(one) for one in ids])

    assert len(cloud.reachable_sites()) == 500


def test_a_list_of_megabytes_is_not_read(cloud, wire):
    wire.answer(SITES, [entry(name="x" * 3_000_000)])

    with pytest.raises(TransportError):
        cloud.reachable_sites()


@pytest.mark.parametrize("body", [{}, b"<html>", "text"])
def test_a_list_that_is_none_is_trouble(cloud, wire, body):
    wire.answer(SITES, body)

    with pytest.raises(Unavailable):
        cloud.reachable_sites()


def test_a_token_may_reach_nothing(cloud, wire):
    wire.answer(SITES, [])

    assert cloud.reachable_sites() == ()
