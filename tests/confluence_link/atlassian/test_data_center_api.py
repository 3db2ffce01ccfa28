"""The calls of Data Center against odd answers; ordinary ones are in `test_client`."""

from __future__ import annotations

import pytest

from confluence_link.atlassian import Page, Space
from confluence_link.atlassian.data_center_api import DataCenterApi
from confluence_link.errors import Conflict, NotFound, NotPermitted, Rejected

BASE = "/confluence/rest/api"
TEAM = Space("", "TEAM", "TEAM", "", "")


@pytest.fixture
def people(wire):
    """Where people look at the server."""
    return f"{wire.url}/confluence"


@pytest.fixture
def api(people):
    return DataCenterApi(people)


@pytest.fixture
def call(data_center):
    return data_center.call("")


def handbook(**fields):
    return {
        "id": "12",
        "title": "Handbook",
        "space": {"id": 7, "key": "TEAM"},
        "version": {"number": 3},
        "_links": {"webui": "/display/TEAM/Handbook"},
        **fields,
    }


def test_spaces_are_counted_from_start(api, call, wire, people):
    team = {"id": 7, "key": "TEAM", "name": "Team", "type": "global"}
    links = {"next": "https://evil.example/rest/api/space?start=25&limit=25"}
    wire.answer(f"{BASE}/space", {"results": [team, {}], "_links": links})

    found = api.spaces(call, "", 25)
    api.spaces(call, found.next_cursor, 25)

    assert found.items == (
        Space("7", "TEAM", "Team", "global", f"{people}/display/TEAM"),
    )
    assert [asked.query["start"] for asked in wire.asked] == ["0", "25"]


def test_a_context_path_in_a_link_is_not_doubled(api, call, wire, people):
    links = {"webui": "/confluence/display/TEAM"}
    wire.answer(f"{BASE}/space", {"results": [{"key": "TEAM", "_links": links}]})

    (space,) = api.spaces(call, "", 25).items

    assert space.url == f"{people}/display/TEAM"


def test_a_server_without_context_path_has_plain_links(call, wire):
    links = {"webui": "/display/TEAM"}
    wire.answer(f"{BASE}/space", {"results": [{"key": "TEAM", "_links": links}]})

    (space,) = DataCenterApi("https://wiki.example").spaces(call, "", 25).items

    assert space.url == "https://wiki.example/display/TEAM"


@pytest.mark.parametrize("wanted", ["TEAM", "7"])
def test_a_space_is_found_by_key_or_id(api, call, wire, wanted):
    others = [{"id": 8, "key": "TEAM2"}, {"id": 7, "key": "TEAM"}]
    wire.answer(f"{BASE}/space", {"results": others})

    assert api.space(call, wanted).key == "TEAM"


def test_spaces_go_on_where_the_server_gives_no_links(api, call, wire):
    spaces = [{"id": 7, "key": "TEAM"}, {"id": 8, "key": "TEAM2"}]
    wire.answer(f"{BASE}/space", {"results": spaces, "size": 2, "limit": 2})
    wire.answer(f"{BASE}/space", {"results": [], "size": 0, "limit": 2})

    found = api.spaces(call, "", 25)

    assert found.next_cursor == "2"
    assert api.spaces(call, "2", 25).next_cursor == ""


def test_a_space_beyond_the_slice_of_a_server_that_does_not_filter(api, call, wire):
    wire.answer(f"{BASE}/space", {"results": [{"id": 8, "key": "TEAM2"}]})
    wire.answer(f"{BASE}/space/TEAM", {"id": 7, "key": "TEAM"})

    assert api.space(call, "TEAM").space_id == "7"


def test_another_space_is_not_taken_for_the_one_asked_for(api, call, wire):
    wire.answer(f"{BASE}/space", {"results": []})
    wire.answer(f"{BASE}/space/TEAM", {"id": 8, "key": "TEAM2"})

    with pytest.raises(NotFound):
        api.space(call, "TEAM")


def test_a_space_that_is_not_there_is_not_found(api, call, wire):
    wire.answer(f"{BASE}/space", {"results": [{"id": 8, "key": "TEAM2"}]})

    with pytest.raises(NotFound):
        api.space(call, "TEAM")


def test_a_key_is_enough_to_call(api, call, wire, people):
    space = api.space_to_call(call, "~dora")

    assert space == Space("", "~dora", "~dora", "", f"{people}/display/~dora")
    assert wire.asked == []


@pytest.mark.parametrize("key", ["", "a/b", 'a" or "', "a b", ".", ".."])
def test_a_key_that_is_none_is_not_asked_for(api, call, wire, key):
    with pytest.raises(NotFound):
        api.space_to_call(call, key)
    with pytest.raises(NotFound):
        api.pages(call, Space("", key, "", "", ""), "", 25)
    assert wire.asked == []


def test_the_pages_of_a_space(api, call, wire, people):
    wire.answer(f"{BASE}/content", {"results": [handbook(), {"id": "x"}]})

    (page,) = api.pages(call, TEAM, "50", 25).items

    url = f"{people}/display/TEAM/Handbook"
    assert page == Page("12", "Handbook", "7", "TEAM", url, "", 3)
    assert wire.asked[0].query == {
        "spaceKey": "TEAM",
        "type": "page",
        "expand": "space,version",
        "start": "50",
        "limit": "25",
    }


@pytest.mark.parametrize("status", [404, 405, 410])
def test_pages_are_searched_where_they_are_not_listed(api, call, wire, status):
    wire.answer(f"{BASE}/content", {"message": "no"}, status=status)
    wire.answer(f"{BASE}/content/search", {"results": [handbook()]})

    (page,) = api.pages(call, TEAM, "", 25).items

    assert page.page_id == "12"
    cql = 'space = "TEAM" and type = page order by title'
    assert wire.asked[1].query["cql"] == cql


def test_a_space_without_pages_in_the_search_is_not_there(api, call, wire):
    wire.answer(f"{BASE}/content", status=404)
    wire.answer(f"{BASE}/content/search", {"results": []})

    with pytest.raises(NotFound):
        api.pages(call, TEAM, "", 25)
    assert api.pages(call, TEAM, "25", 25).items == ()


def test_the_first_refusal_counts_where_the_search_refuses_too(api, call, wire):
    wire.answer(f"{BASE}/content", status=404)
    wire.answer(f"{BASE}/content/search", status=400)

    with pytest.raises(NotFound):
        api.pages(call, TEAM, "", 25)


def test_a_page_comes_with_its_body(api, call, wire):
    body = {"storage": {"value": "<p>x</p>", "representation": "storage"}}
    wire.answer(f"{BASE}/content/12", handbook(body=body))

    assert api.page(call, "12").body == "<p>x</p>"
    assert wire.asked[0].query == {"expand": "body.storage,space,version"}


def test_search_takes_the_query_as_it_is(api, call, wire, people):
    item = {"content": handbook(), "title": "Handbook", "excerpt": "x"}
    wire.answer(f"{BASE}/search", {"results": [item], "size": 1})

    (hit,) = api.search(call, "type = page", "", 25).items

    assert hit.url == f"{people}/display/TEAM/Handbook"
    assert wire.asked[0].query["cql"] == "type = page"


def test_the_content_search_will_do(api, call, wire):
    wire.answer(f"{BASE}/content/search", {"results": [handbook()], "size": 1})

    (hit,) = api.search(call, "type = page", "", 25).items

    assert (hit.page_id, hit.title) == ("12", "Handbook")
    assert wire.asked[1].query["cql"] == "type = page"


def test_a_query_that_is_refused_is_not_tried_elsewhere(api, call, wire):
    wire.answer(f"{BASE}/search", {"message": "Could not parse cql"}, status=400)

    with pytest.raises(Rejected):
        api.search(call, "nonsense", "", 25)
    assert len(wire.asked) == 1


def test_a_new_page_names_its_space_by_key(api, call, wire):
    wire.answer(f"{BASE}/content", handbook())

    api.create_page(call, TEAM, "Handbook", "<p>x</p>", "11")

    assert wire.asked[0].json == {
        "type": "page",
        "title": "Handbook",
        "space": {"key": "TEAM"},
        "ancestors": [{"id": "11"}],
        "body": {"storage": {"value": "<p>x</p>", "representation": "storage"}},
    }


def test_a_new_page_needs_no_parent(api, call, wire):
    wire.answer(f"{BASE}/content", handbook())

    api.create_page(call, TEAM, "Handbook", "", "")

    assert "ancestors" not in wire.asked[0].json


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("A page with this title already exists: Handbook", Conflict),
        ("title is required", Rejected),
    ],
)
def test_a_refused_page_says_who_must_act(api, call, wire, message, kind):
    body = {"statusCode": 400, "message": message, "data": {"valid": False}}
    wire.answer(f"{BASE}/content", body, status=400)

    with pytest.raises(kind):
        api.create_page(call, TEAM, "Handbook", "", "")


def test_a_user_who_is_anonymous_is_a_refusal(api, call, wire):
    wire.answer(f"{BASE}/user/current", {"type": "anonymous"})

    with pytest.raises(NotPermitted) as caught:
        api.current_user(call)
    assert caught.value.status == 401


@pytest.mark.parametrize("cursor", ["-1", "x", "1e3"])
def test_a_cursor_that_nobody_gave_us_is_refused(api, call, wire, cursor):
    with pytest.raises(Rejected):
        api.spaces(call, cursor, 25)
    assert wire.asked == []
