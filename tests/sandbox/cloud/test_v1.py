from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest


def search(cloud, cql, **params):
    answer = cloud.linked()
    params = {"cql": cql, **params}
    return cloud.call("/rest/api/search", answer, params=params)


def test_search_finds_pages_by_text(cloud):
    found = search(cloud, 'text ~ "roll back" and type = page').json()

    (result,) = found["results"]
    assert result["content"]["title"] == "Release runbook"
    assert found["totalSize"] == 1


def test_next_results_are_linked_without_wiki(cloud):
    cql = 'title ~ "weekly" order by title desc'
    first = search(cloud, cql, limit=20).json()
    following = first["_links"]["next"]
    (cursor,) = parse_qs(urlsplit(following).query)["cursor"]

    second = search(cloud, cql, limit=20, cursor=cursor).json()

    assert following.startswith("/rest/api/search?")
    assert first["results"][0]["title"] == "Weekly report 30"
    assert second["results"][-1]["title"] == "Weekly report 01"
    assert "next" not in second["_links"]


def test_wrong_cql_is_refused_in_the_shape_of_v1(cloud):
    response = search(cloud, "text like hello")

    assert response.status_code == 400
    assert response.json()["message"].startswith("Could not parse cql")


def test_current_user_is_known(cloud):
    user = cloud.call("/rest/api/user/current", cloud.linked()).json()

    assert user["type"] == "known"
    assert user["accountId"] == "5be24ad8b1653240376955d2"


@pytest.mark.parametrize("path", ["content", "content/1", "space", "space/TEAM"])
def test_retired_endpoints_are_gone(cloud, path):
    response = cloud.call(f"/rest/api/{path}", cloud.linked())

    assert response.status_code == 410
    assert "This deprecated endpoint has been removed" in response.json()["message"]
