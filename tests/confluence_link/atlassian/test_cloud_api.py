"""The calls of Cloud against odd answers; ordinary ones are in `test_client`."""

from __future__ import annotations

import pytest

from confluence_link.atlassian import Page, SearchHit, Space
from confluence_link.atlassian.cloud_api import CloudApi
from confluence_link.errors import (
    Conflict,
    NotFound,
    NotPermitted,
    Rejected,
    Unavailable,
)

CLOUD_ID = "1324a887-45db-1bf4-1e99-ef0ff456d421"
GATEWAY = f"/ex/confluence/{CLOUD_ID}/wiki"
SPACES, PAGES = f"{GATEWAY}/api/v2/spaces", f"{GATEWAY}/api/v2/pages"
SEARCH = f"{GATEWAY}/rest/api/search"
SITE = "https://northwind.atlassian.net"
TEAM = Space("7", "TEAM", "Team", "global", f"{SITE}/wiki/spaces/TEAM")


@pytest.fixture
def api():
    return CloudApi(SITE)


@pytest.fixture
def call(cloud):
    return cloud.call(CLOUD_ID)


def team(**fields):
    links = {"webui": "/spaces/TEAM"}
    return {
        "id": "7",
        "key": "TEAM",
        "name": "Team",
        "type": "global",
        "_links": links,
        **fields,
    }


def results(*items, **fields):
    return {"results": list(items), "_links": {}, **fields}


def only(api, call, wire, path, item, method, *arguments):
    wire.answer(path, results(item))
    (found,) = method(call, *arguments, "", 25).items
    return found


# --- addresses for people ---------------------------------------------------------


@pytest.mark.parametrize(
    ("site_url", "webui", "url"),
    [
        (SITE, "/spaces/TEAM", f"{SITE}/wiki/spaces/TEAM"),
        (SITE, "/wiki/spaces/TEAM", f"{SITE}/wiki/spaces/TEAM"),
        (f"{SITE}/wiki", "/wiki/spaces/TEAM", f"{SITE}/wiki/spaces/TEAM"),
        (SITE, "https://evil.example/x", f"{SITE}/wiki/spaces/TEAM"),
        (SITE, None, f"{SITE}/wiki/spaces/TEAM"),
        ("", "/spaces/TEAM", ""),
    ],
)
def test_a_link_for_people_begins_at_the_site(call, wire, site_url, webui, url):
    links = {"webui": webui, "base": "https://evil.example/wiki"}
    wire.answer(SPACES, results(team(_links=links)))

    (space,) = CloudApi(site_url).spaces(call, "", 25).items

    assert space.url == url


# --- spaces -----------------------------------------------------------------------


def test_what_is_no_space_is_left_out(api, call, wire):
    odd = [team(id="../x"), team(key="a/b"), team(id=None), "text", None, {}]
    wire.answer(SPACES, results(*odd, team(id=7, name="")))

    (space,) = api.spaces(call, "", 25).items

    assert space == Space("7", "TEAM", "TEAM", "global", TEAM.url)


@pytest.mark.parametrize("body", [{}, {"results": {}}, {"results": None}])
def test_a_list_without_results_is_trouble(api, call, wire, body):
    wire.answer(SPACES, body)

    with pytest.raises(Unavailable):
        api.spaces(call, "", 25)


def test_s13_the_next_slice_is_asked_for_at_our_own_address(api, call, wire):
    away = "https://evil.example/wiki/wiki/api/v2/spaces?limit=9&cursor=a%2Bb"
    wire.answer(SPACES, results(team(), _links={"next": away}))

    cursor = api.spaces(call, "", 25).next_cursor
    api.spaces(call, cursor, 25)

    assert wire.asked[1].path == SPACES
    assert wire.asked[1].query == {"limit": "25", "cursor": "a+b"}


def test_the_link_header_leads_on_where_the_body_does_not(api, call, wire):
    link = '</wiki/api/v2/spaces?cursor=abc>; rel="next"'
    wire.answer(SPACES, {"results": [team()]}, Link=link)

    assert api.spaces(call, "", 25).next_cursor == "abc"


def test_a_space_is_found_by_its_key(api, call, wire):
    wire.answer(SPACES, results(team(key="TEAM2", id="8"), team()))

    assert api.space(call, "TEAM") == TEAM
    assert wire.asked[0].query["keys"] == "TEAM"


def test_a_space_is_found_by_its_id_after_no_key_is_so(api, call, wire):
    wire.answer(SPACES, results())
    wire.answer(SPACES, results(team()))

    assert api.space(call, "7") == TEAM
    assert [asked.query.get("ids") for asked in wire.asked] == [None, "7"]


@pytest.mark.parametrize("wanted", ["NONE", "9"])
def test_a_space_that_is_not_there_is_not_found(api, call, wire, wanted):
    wire.answer(SPACES, results(team()))

    with pytest.raises(NotFound):
        api.space(call, wanted)


@pytest.mark.parametrize("key", ["", "..", "../x", "a b", "a/b", 'a"b', "x" * 256])
def test_a_key_that_is_none_is_not_asked_for(api, call, wire, key):
    with pytest.raises(NotFound):
        api.space(call, key)
    assert wire.asked == []


# --- pages ------------------------------------------------------------------------


def test_the_pages_of_a_space(api, call, wire):
    item = {
        "id": "12",
        "title": "Handbook",
        "spaceId": 7,
        "version": {"number": 3},
        "_links": {"webui": "/spaces/TEAM/pages/12/Handbook"},
    }
    wire.answer(f"{SPACES}/7/pages", results(item, {"id": "att1"}, None))

    (page,) = api.pages(call, TEAM, "", 25).items

    url = f"{SITE}/wiki/spaces/TEAM/pages/12/Handbook"
    assert page == Page("12", "Handbook", "7", "TEAM", url, "", 3)


def test_a_page_that_says_little_is_a_page(api, call, wire):
    wire.answer(f"{PAGES}/12", {"id": 12, "body": [], "version": "x", "_links": None})

    url = f"{SITE}/wiki/pages/viewpage.action?pageId=12"
    assert api.page(call, "12") == Page("12", "", "", "", url, "", 0)


def test_the_key_in_a_path_is_unquoted(api, call, wire):
    links = {"webui": "/wiki/spaces/%7Edora/pages/12"}
    wire.answer(f"{PAGES}/12", {"id": "12", "_links": links})

    assert api.page(call, "12").space_key == "~dora"


def test_a_body_keeps_what_a_database_takes(api, call, wire):
    body = {"storage": {"value": "<p>a\x00\n</p>", "representation": "storage"}}
    wire.answer(f"{PAGES}/12", {"id": "12", "body": body})

    assert api.page(call, "12").body == "<p>a\n</p>"
    assert wire.asked[0].query == {"body-format": "storage"}


@pytest.mark.parametrize("page_id", ["", "../7", "12?x", "1" * 21, "a"])
def test_a_page_id_that_is_none_is_not_asked_for(api, call, wire, page_id):
    with pytest.raises(NotFound):
        api.page(call, page_id)
    assert wire.asked == []


def test_a_page_without_an_id_is_no_answer(api, call, wire):
    wire.answer(f"{PAGES}/12", {"title": "x"})

    with pytest.raises(Unavailable):
        api.page(call, "12")


def test_a_space_without_an_id_has_no_pages_here(api, call):
    with pytest.raises(NotFound):
        api.pages(call, Space("", "TEAM", "Team", "", ""), "", 25)


# --- search -----------------------------------------------------------------------


def test_a_hit_is_plain_text(api, call, wire):
    item = {
        "content": {"id": "12", "title": "Handbook"},
        "title": "@@@hl@@@Hand@@@endhl@@@book &amp; more",
        "excerpt": "We @@@hl@@@plan@@@endhl@@@,\n&lt;b&gt;build&lt;/b&gt;",
        "url": "/spaces/TEAM/pages/12",
        "resultGlobalContainer": {"title": "Team"},
    }
    wire.answer(SEARCH, results(item))

    (hit,) = api.search(call, "type = page", "", 25).items

    url = f"{SITE}/wiki/spaces/TEAM/pages/12"
    title = "Handbook & more"
    assert hit == SearchHit("12", title, "We plan, <b>build</b>", url, "Team")


@pytest.mark.parametrize(
    "item",
    [
        {"content": {"id": "12", "title": "T", "space": {"name": "Team"}}},
        {"content": {"id": "12", "title": "T"}, "space": {"name": "Team"}},
        {"id": "12", "title": "T", "space": {"name": "Team"}},
    ],
)
def test_a_hit_may_name_its_space_in_several_places(api, call, wire, item):
    wire.answer(SEARCH, results(item))

    (hit,) = api.search(call, "type = page", "", 25).items

    assert (hit.title, hit.space_name, hit.excerpt) == ("T", "Team", "")
    assert hit.url == f"{SITE}/wiki/pages/viewpage.action?pageId=12"


def test_a_hit_may_name_no_space(api, call, wire):
    wire.answer(SEARCH, results({"content": {"id": "12"}}))

    assert api.search(call, "x", "", 25).items[0].space_name == ""


def test_hits_that_are_no_pages_are_left_out(api, call, wire):
    items = [{"user": {"accountId": "a"}}, {"content": {"id": "att3"}}, None]
    wire.answer(SEARCH, results(*items))

    assert api.search(call, "x", "", 25).items == ()


def test_a_hostile_excerpt_does_no_harm(api, call, wire):
    excerpt = f"&#{'9' * 9000}; {'x' * 9000}"
    wire.answer(SEARCH, results({"content": {"id": "12"}, "excerpt": excerpt}))

    assert len(api.search(call, "x", "", 25).items[0].excerpt) <= 500


def test_a_search_goes_on_by_cursor_or_by_number(api, call, wire):
    links = {"next": "/rest/api/search?cql=other&start=25&limit=25"}
    wire.answer(SEARCH, results(_links=links))

    api.search(call, "x", api.search(call, "x", "", 25).next_cursor, 25)

    assert wire.asked[1].query == {"cql": "x", "start": "25", "limit": "25"}


# --- writing and identity -----------------------------------------------------------


def test_a_new_page_names_its_space_by_id(api, call, wire):
    wire.answer(PAGES, {"id": "12", "title": "New"})

    api.create_page(call, TEAM, "New", "<p>x</p>", "11")

    assert wire.asked[0].json == {
        "spaceId": "7",
        "status": "current",
        "title": "New",
        "parentId": "11",
        "body": {"representation": "storage", "value": "<p>x</p>"},
    }


def test_a_new_page_needs_no_parent(api, call, wire):
    wire.answer(PAGES, {"id": "12"}, status=201)

    assert api.create_page(call, TEAM, "New", "", "").page_id == "12"
    assert "parentId" not in wire.asked[0].json


@pytest.mark.parametrize(
    ("status", "title", "kind"),
    [
        (400, "A page already exists with the same TITLE in this space", Conflict),
        (400, "title: 1 to 255 characters", Rejected),
        (413, "too large", Rejected),
    ],
)
def test_a_refused_page_says_who_must_act(api, call, wire, status, title, kind):
    error = {"status": status, "code": "X", "title": title, "detail": None}
    wire.answer(PAGES, {"errors": [error]}, status=status)

    with pytest.raises(kind):
        api.create_page(call, TEAM, "New", "", "")


@pytest.mark.parametrize("user", [{"type": "anonymous"}, {"type": "known"}])
def test_a_user_who_is_nobody_is_a_refusal(api, call, wire, user):
    wire.answer(f"{GATEWAY}/rest/api/user/current", user)

    with pytest.raises(NotPermitted) as caught:
        api.current_user(call)
    assert caught.value.status == 401
