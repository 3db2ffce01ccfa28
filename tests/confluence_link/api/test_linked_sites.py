"""What a key sees: the shared linked sites of its organization."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from confluence_link.models import LinkedSite
from tests import grants


def codes(answer):
    return answer.status_code, answer.json().get("code")


def test_a_shared_site_is_listed_with_its_health(call, key, site):
    (item,) = call("linked-sites", key).json()["items"]
    assert item["id"] == site.public_id
    assert (item["name"], item["deployment"]) == ("Northwind", "cloud")
    assert item["status"] == "connected"
    assert "read:page:confluence" in item["scopes"]
    assert "offline_access" not in item["scopes"]
    assert call(f"linked-sites/{site.public_id}", key).json() == item


def test_what_is_kept_to_its_linker_is_not_there(call, key, site):
    none = call("linked-sites/made-up", key)
    LinkedSite.objects.update(shared=False)
    assert call("linked-sites", key).json()["items"] == []
    answer = call(f"linked-sites/{site.public_id}", key)
    assert codes(answer) == (404, "not_found")
    assert answer.content == none.content


def test_another_organizations_key_sees_nothing_of_it(call, other_key, site):
    assert call("linked-sites", other_key).json() == {"items": [], "next_cursor": ""}
    none = call("linked-sites/made-up", other_key)
    for path, method in ((site.public_id, "get"), (f"{site.public_id}/token", "post")):
        answer = call(f"linked-sites/{path}", other_key, method)
        assert answer.status_code == 404
        assert answer.content == none.content


def test_pages_follow_each_other_by_cursor(call, key, site):
    for number in range(4):
        copy = grants.copy_of(site.grant)
        LinkedSite.objects.create(
            organization=site.organization,
            grant=copy,
            site_id=f"site-{number}",
            name=f"Site {number}",
            url="https://example.org",
        )
    seen, cursor = [], ""
    for _ in range(3):
        page = call(f"linked-sites?limit=2&cursor={cursor}", key).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor == ""
    assert sorted(seen) == sorted(
        LinkedSite.objects.values_list("public_id", flat=True)
    )


def test_a_longer_list_asks_the_database_no_more(call, key, site):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            assert call("linked-sites", key).status_code == 200
        return len(asked)

    queries()
    few = queries()
    for number in range(20):
        LinkedSite.objects.create(
            organization=site.organization,
            grant=site.grant,
            site_id=f"site-{number}",
            name=f"Site {number}",
            url="https://example.org",
        )
    assert queries() == few


@pytest.mark.parametrize(
    "query",
    [
        "ordering=grant__user__password",
        "filter=x",
        "fields=grant__sealed_token_set",
        "organization=bob-and-co",
        "grant__user__email=a",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1e9",
        "cursor=%00",
        "cursor='",
        f"cursor={'a' * 21}",
    ],
)
def test_a18_a_parameter_that_nobody_reads_is_refused(call, key, query):
    assert codes(call(f"linked-sites?{query}", key)) == (400, "bad_request")


def test_one_site_takes_no_parameter(call, key, site):
    assert call(f"linked-sites/{site.public_id}?expand=grant", key).status_code == 400


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("", "get", 404),
        ("docs", "get", 404),
        ("linked-sites/", "get", 404),
        ("linked-sites/%00", "get", 404),
        ("linked-sites/1/proxy/wiki", "get", 404),
        ("linked-sites", "post", 405),
        ("linked-sites/x", "delete", 405),
        ("linked-sites/x/token", "get", 405),
    ],
)
def test_what_is_not_there_is_told_as_a_problem(call, key, path, method, status):
    answer = call(path, key, method)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.has_header("Allow") == (status == 405)
    assert answer["Cache-Control"] == "no-store"
