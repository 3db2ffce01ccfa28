from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/site/northwind", "/site/northwind/wiki/spaces/TEAM"),
        ("/site/northwind/wiki", "Team space"),
        ("/site/tickets", "Nothing here."),
        ("/site/riverside/wiki/spaces/TEAM", "Release runbook"),
    ],
)
def test_people_can_browse_a_site(cloud, path, text):
    assert text in cloud.http.get(cloud.part.url + path).text


@pytest.mark.parametrize(
    "path",
    [
        "/site/nobody",
        "/site/northwind/wiki/spaces/NONE",
        "/site/tickets/wiki/spaces/TEAM",
        "/site/northwind/wiki/spaces/TEAM/pages/1",
    ],
)
def test_what_is_not_there_is_not_found(cloud, path):
    assert cloud.http.get(cloud.part.url + path).status_code == 404


def test_hostile_page_is_served_as_it_is_to_clients_and_harmless_to_people(cloud):
    answer = cloud.linked()
    params = {"title": 'Hostile <b>page</b> & "friends"', "body-format": "storage"}
    (page,) = cloud.call("/api/v2/pages", answer, params=params).json()["results"]

    site = f"{cloud.part.url}/site/northwind/wiki"
    shown = cloud.http.get(site + page["_links"]["webui"])

    assert "<script>" in page["body"]["storage"]["value"]
    assert "Hostile &lt;b&gt;page" in shown.text
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
