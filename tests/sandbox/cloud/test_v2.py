from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest


@pytest.fixture
def answer(cloud):
    return cloud.linked()


def space_id(cloud, answer):
    spaces = cloud.call("/api/v2/spaces", answer, params={"keys": "TEAM"}).json()
    (space,) = spaces["results"]
    return space["id"]


def new_page(cloud, answer, **changes):
    body = {
        "spaceId": space_id(cloud, answer),
        "status": "current",
        "title": "Brand new",
        "body": {"representation": "storage", "value": "<p>Hello</p>"},
        **changes,
    }
    return cloud.call("/api/v2/pages", answer, method="POST", json=body)


def test_spaces_come_in_pages_linked_by_cursor(cloud, answer):
    keys, cursor = [], None
    while True:
        params = {"limit": 25, "cursor": cursor}
        listing = cloud.call("/api/v2/spaces", answer, params=params)
        keys += [space["key"] for space in listing.json()["results"]]
        following = listing.json()["_links"].get("next")
        if following is None:
            break
        assert following.startswith("/wiki/api/v2/spaces?")
        assert f'<{following}>; rel="next"' in listing.headers["Link"]
        (cursor,) = parse_qs(urlsplit(following).query)["cursor"]

    assert len(keys) == len(set(keys)) == 61


def test_base_is_that_of_the_site_not_of_the_gateway(cloud, answer):
    links = cloud.call("/api/v2/spaces", answer).json()["_links"]

    assert links["base"] == f"{cloud.part.url}/site/northwind/wiki"


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 251}, {"limit": "x"}, {"cursor": "x"}], ids=str
)
def test_wrong_paging_is_refused_in_the_shape_of_v2(cloud, answer, params):
    response = cloud.call("/api/v2/spaces", answer, params=params)

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "INVALID_REQUEST_PARAMETER"


def test_pages_of_a_space_have_bodies_only_when_asked(cloud, answer):
    path = f"/api/v2/spaces/{space_id(cloud, answer)}/pages"
    bare = cloud.call(path, answer).json()["results"][0]
    full = cloud.call(path, answer, params={"body-format": "storage"}).json()

    assert bare["body"] == {}
    assert "<h1>" in full["results"][0]["body"]["storage"]["value"]


def test_page_is_read_in_view_and_document_format(cloud, answer):
    params = {"title": "Release runbook"}
    (page,) = cloud.call("/api/v2/pages", answer, params=params).json()["results"]

    def body(name):
        params = {"body-format": name}
        read = cloud.call(f"/api/v2/pages/{page['id']}", answer, params=params).json()
        return read["body"][name]["value"]

    assert "<pre>make check &amp;&amp; make release" in body("view")
    assert "ac:structured-macro" in body("storage")
    assert json.loads(body("atlas_doc_format"))["type"] == "doc"


def test_created_page_can_be_seen_in_a_browser(cloud, answer):
    response = new_page(cloud, answer)

    page = response.json()
    shown = cloud.http.get(page["_links"]["base"] + page["_links"]["webui"])
    assert response.status_code == 200
    assert shown.status_code == 200
    assert "<p>Hello</p>" in shown.text


def test_page_of_another_parent_hangs_below_it(cloud, answer):
    parent = new_page(cloud, answer).json()
    child = new_page(cloud, answer, title="Child", parentId=parent["id"]).json()

    assert child["parentId"] == parent["id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"spaceId": None},
        {"spaceId": "1"},
        {"title": ""},
        {"title": "Handbook"},
        {"parentId": "1"},
        {"status": "published"},
        {"body": {"representation": "view", "value": ""}},
        {"body": {"representation": "storage"}},
    ],
    ids=str,
)
def test_wrong_page_is_refused(cloud, answer, changes):
    assert new_page(cloud, answer, **changes).status_code == 400


def test_update_needs_the_next_version(cloud, answer):
    page = new_page(cloud, answer).json()
    update = {
        "id": page["id"],
        "status": "current",
        "title": "Renamed",
        "body": {"representation": "storage", "value": "<p>Changed</p>"},
    }

    def put(number):
        body = {**update, "version": {"number": number}}
        path = f"/api/v2/pages/{page['id']}"
        return cloud.call(path, answer, method="PUT", json=body)

    assert put(2).json()["title"] == "Renamed"
    assert put(2).status_code == 409
    assert put("x").status_code == 400


def test_deleted_page_is_gone(cloud, answer):
    path = f"/api/v2/pages/{new_page(cloud, answer).json()['id']}"

    assert cloud.call(path, answer, method="DELETE").status_code == 204
    assert cloud.call(path, answer).status_code == 404


def test_unknown_path_is_not_found(cloud, answer):
    assert cloud.call("/api/v2/nothing", answer).json()["errors"][0]["status"] == 404
    assert cloud.call("/api/v2/spaces/1", answer).status_code == 404
    assert cloud.call("/api/v2/spaces/1/pages", answer).status_code == 404
