"""What pages answer when every filter by organization is forgotten.

The filters are really taken out of every query; the second wall stands behind them.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import QuerySet

from tests.routes.conftest import send
from tests.routes.table import ORGANIZATION

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="SQLite has no row-level security; `make test` brings a PostgreSQL",
)

PAGES = {name: each for name, each in ORGANIZATION.items() if "GET" in each.methods}


@pytest.fixture
def no_filters(monkeypatch):
    """No query is narrowed to an organization any more."""
    with_filters = QuerySet.filter

    def without(self, *args, **kwargs):
        for name in ("organization", "organization_id"):
            kwargs.pop(name, None)
        return with_filters(self, *args, **kwargs)

    monkeypatch.setattr(QuerySet, "filter", without)


@pytest.fixture
def no_wall():
    """As for a login that may not take the role."""
    connection.ensure_connection()
    connection.has_role = False
    yield
    connection.has_role = True


@pytest.fixture
def foreign(world):
    """What only Alice's organization has, as it would stand on a page."""
    names = ["Alice and Co", "alice@example.org", "carol@example.org", "Northwind"]
    names += ["dave@example.org", "erin@example.org", "Reports", "Vacant"]
    public_ids = set(world.objects) - {"space_key", "page_id"}
    return [*names, *(world.objects[each] for each in public_ids)]


def leaks(world, foreign):
    """Pages of Bob's own organization that tell something of Alice's."""
    own, client = world.other_organization.slug, world.clients["other owner"]
    found = set()
    for name, route in PAGES.items():
        if not route.objects:
            page = send(client, "GET", world.url(name, route, slug=own))
            text = page.content.decode()
            found |= {(name, each) for each in foreign if each in text}
    return found


def opened(world):
    """Pages that open one of Alice's objects at Bob's address."""
    own, client = world.other_organization.slug, world.clients["other owner"]
    return {
        name
        for name, route in PAGES.items()
        if route.objects
        and send(client, "GET", world.url(name, route, slug=own)).status_code == 200
    }


def test_a_forgotten_filter_answers_nothing(world, foreign, no_filters):
    assert leaks(world, foreign) == set()
    assert opened(world) == set()


def test_without_the_wall_a_forgotten_filter_would_tell(
    world, foreign, no_filters, no_wall
):
    told = {name for name, _ in leaks(world, foreign)}

    assert {
        "accounts:members",
        "accounts:keys",
        "confluence_link:linked_sites",
        "confluence_link:servers",
    } <= told
    assert {"confluence_link:linked_site", "confluence_link:server"} <= opened(world)


def test_with_its_filters_no_page_tells_anything_foreign(world, foreign, no_wall):
    assert leaks(world, foreign) == set()
    assert opened(world) == set()
