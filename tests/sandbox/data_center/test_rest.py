from __future__ import annotations

import pytest


@pytest.fixture
def answer(data_center):
    return data_center.linked()


def new_page(data_center, answer, **changes):
    body = {
        "type": "page",
        "title": "Brand new",
        "space": {"key": "TEAM"},
        "body": {"storage": {"value": "<p>Hello</p>", "representation": "storage"}},
        **changes,
    }
    return data_center.call("/rest/api/content", answer, method="POST", json=body)


def test_current_user_is_known_by_key(data_center, answer):
    user = data_center.call("/rest/api/user/current", answer).json()

    assert user["type"] == "known"
    assert user["username"] == "dora"
    assert len(user["userKey"]) == 32
    assert "email" not in user


def test_bad_token_is_answered_with_a_login_page(data_center):
    bad = {"access_token": "CNRY-no"}

    response = data_center.call("/rest/api/user/current", bad)

    assert response.status_code == 401
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.headers["WWW-Authenticate"].startswith("OAuth realm=")
    assert response.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


def test_bad_token_is_anonymous_where_anonymous_may_read(data_center):
    data_center.part.behaviour.change({"anonymous_access": True})
    bad = {"access_token": "CNRY-no"}

    user = data_center.call("/rest/api/user/current", bad)

    assert user.status_code == 200
    assert user.json()["type"] == "anonymous"
    assert new_page(data_center, bad).status_code == 403


def test_spaces_are_paged_by_start_and_limit(data_center, answer):
    listing = data_center.call("/rest/api/space?limit=20", answer).json()
    following = listing["_links"]["next"]
    rest = data_center.call(following, answer).json()

    assert listing["_links"]["base"] == data_center.part.url
    assert following.startswith("/rest/api/space?")
    assert (listing["size"], rest["size"]) == (20, 11)
    assert "next" not in rest["_links"]


def test_space_is_found_by_key(data_center, answer):
    found = data_center.call("/rest/api/space/TEAM", answer)

    assert found.json()["name"] == "Team space"
    assert data_center.call("/rest/api/space/NONE", answer).status_code == 404


def test_pages_of_a_space_are_listed(data_center, answer):
    params = {"spaceKey": "TEAM", "type": "page", "expand": "version"}

    listing = data_center.call("/rest/api/content", answer, params=params).json()

    assert listing["results"][0]["version"]["number"] == 1
    assert "body" not in listing["results"][0]


def test_created_page_is_read_back_and_seen_in_a_browser(data_center, answer):
    page = new_page(data_center, answer).json()
    params = {"expand": "body.storage,body.view,version,space"}
    path = f"/rest/api/content/{page['id']}"
    read = data_center.call(path, answer, params=params).json()
    shown = data_center.http.get(read["_links"]["base"] + read["_links"]["webui"])

    assert read["body"]["storage"]["value"] == "<p>Hello</p>"
    assert read["space"]["key"] == "TEAM"
    assert "<p>Hello</p>" in shown.text


def test_read_scope_does_not_write(data_center):
    answer = data_center.linked(scope="READ")

    assert new_page(data_center, answer).status_code == 403
    assert data_center.call("/rest/api/space", answer).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"type": "blogpost"}, {"title": " "}, {"title": "Handbook"}],
    ids=str,
)
def test_wrong_page_is_refused(data_center, answer, changes):
    response = new_page(data_center, answer, **changes)

    assert response.status_code == 400
    assert response.json()["statusCode"] == 400


def test_update_needs_the_next_version(data_center, answer):
    page = new_page(data_center, answer).json()

    def put(number):
        body = {
            "type": "page",
            "title": "Renamed",
            "version": {"number": number},
            "body": {"storage": {"value": "", "representation": "storage"}},
        }
        path = f"/rest/api/content/{page['id']}"
        return data_center.call(path, answer, method="PUT", json=body)

    assert put(2).json()["title"] == "Renamed"
    assert put(2).status_code == 409
    assert put(None).status_code == 400


def test_deleted_page_is_gone(data_center, answer):
    path = f"/rest/api/content/{new_page(data_center, answer).json()['id']}"

    assert data_center.call(path, answer, method="DELETE").status_code == 204
    assert data_center.call(path, answer).status_code == 404


@pytest.mark.parametrize("path", ["content/search", "search"])
def test_search_takes_cql(data_center, answer, path):
    cql = {"cql": 'space = TEAM and title ~ "runbook"'}
    found = data_center.call(f"/rest/api/{path}", answer, params=cql).json()
    wrong = data_center.call(f"/rest/api/{path}", answer, params={"cql": "nonsense"})

    (result,) = found["results"]
    assert result["title"] == "Release runbook"
    assert wrong.status_code == 400


def test_there_is_no_v2(data_center, answer):
    response = data_center.call("/api/v2/spaces", answer)

    assert response.status_code == 404
    assert response.headers["Content-Type"].startswith("text/html")
