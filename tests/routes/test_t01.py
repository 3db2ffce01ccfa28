"""T01: every route, everybody, every method, and nobody sees across.

A route that is not in the table fails here.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import reverse
from django.urls.exceptions import NoReverseMatch

from accounts.rights import ROLES_WITH
from tests.routes.addresses import all_routes
from tests.routes.conftest import METHODS, body, rows, send
from tests.routes.table import ACTION, ADMIN, ORGANIZATION, OTHERS

FOREIGN = ("other owner", "stranger")
SAFE = {"GET", "HEAD"}
# It calls Confluence, which a test may leave without an answer, but it was let in.
LET_IN = {200, 302, 303, 400, 405, 409, 410, 422, 502, 503}

organization_routes = pytest.mark.parametrize("name", sorted(ORGANIZATION))


def test_t01_every_route_is_in_the_table():
    named = {
        name
        for name, pattern in all_routes()
        if not name.startswith("admin:") and not name.endswith("None")
    }
    assert named == {*ORGANIZATION, *OTHERS}


def test_t01_everything_below_an_organization_is_an_organizations():
    below = {name for name, pattern in all_routes() if pattern.startswith("o/")}
    assert below == set(ORGANIZATION)


@organization_routes
def test_t01_strangers_cannot_tell_an_organization_from_none(world, name):
    route, before = ORGANIZATION[name], rows()
    for who in FOREIGN:
        for method in METHODS:
            asked = send(world.clients[who], method, world.url(name, route))
            missing = world.url(name, route, slug="no-such-organization")
            none = send(world.clients[who], method, missing)
            assert (asked.status_code, none.status_code) in {(404, 404), (405, 405)}
            assert body(asked) == body(none), (who, method)
    assert rows() == before


@organization_routes
def test_t01_whoever_is_not_signed_in_is_sent_to_sign_in(world, name):
    route, before = ORGANIZATION[name], rows()
    for method in METHODS:
        asked = send(world.clients["anonymous"], method, world.url(name, route))
        if asked.status_code != 405:
            assert asked.status_code == 302, method
            assert asked.url.startswith(reverse("account_login")), method
    assert rows() == before


@pytest.mark.parametrize(
    "name", sorted(name for name, route in ORGANIZATION.items() if route.objects)
)
def test_t01_no_object_is_reached_through_another_organization(world, name):
    route, before = ORGANIZATION[name], rows()
    own = world.other_organization.slug
    for method in METHODS:
        client = world.clients["other owner"]
        asked = send(client, method, world.url(name, route, slug=own))
        none = send(client, method, world.url(name, route, slug=own, unknown=True))
        assert asked.status_code == none.status_code, method
        assert asked.status_code not in {200, 302, 303, 500}, method
        assert body(asked) == body(none), method
    assert rows() == before


@organization_routes
@pytest.mark.parametrize("who", ["owner", "admin", "member"])
def test_t01_a_role_gets_what_the_table_of_rights_says(world, name, who):
    route = ORGANIZATION[name]
    may = route.right is None or who in ROLES_WITH[route.right]
    for method in sorted(route.methods & {"GET", "POST"}):
        before = rows()
        asked = send(world.clients[who], method, world.url(name, route))
        if not may:
            assert asked.status_code == 403, method
            assert rows() == before, method
        elif (name, who) not in OF_THEIR_OWN:
            assert asked.status_code in LET_IN, (method, asked.status_code)


# Objects that one person made and no other sees, whatever their role.
OF_THEIR_OWN = {
    ("confluence_link:confirm_link", "admin"),
    ("confluence_link:confirm_link", "member"),
}


@organization_routes
def test_t01_no_other_method_is_answered(world, name):
    route, before = ORGANIZATION[name], rows()
    for method in set(METHODS) - route.methods - {"OPTIONS", "HEAD"}:
        asked = send(world.clients["owner"], method, world.url(name, route))
        assert asked.status_code == 405, method
    assert rows() == before


@organization_routes
def test_t01_looking_changes_nothing(world, name):
    route = ORGANIZATION[name]
    if route.methods == ACTION:
        return
    # The first call to Confluence marks the grant as used.
    send(world.clients["owner"], "GET", world.url(name, route))
    before = rows()
    for method in SAFE:
        send(world.clients["owner"], method, world.url(name, route))
    assert rows() == before


# What belongs to no organization
# ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", sorted(name for name, kind in OTHERS.items() if kind == "signed_in")
)
def test_t01_what_is_a_persons_own_wants_a_sign_in(world, name):
    before = rows()
    url = plain_url(name)
    for method in ("GET", "POST"):
        asked = send(world.clients["anonymous"], method, url)
        assert asked.status_code in {302, 405}, method
        if asked.status_code == 302:
            assert asked.url.startswith(reverse("account_login"))
    assert rows() == before


def plain_url(name):
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=["cloud"])


# The admin
# ------------------------------------------------------------------------------
ADMIN_PAGES = ["changelist", "add", "change", "history", "delete"]


@pytest.mark.parametrize(
    "model", sorted(admin.site._registry, key=lambda each: each._meta.label)
)
@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_t01_the_admin_is_for_staff(world, model, page):
    row = model._base_manager.first()
    label = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    args = [] if page in {"changelist", "add"} else [row.pk if row else 1]
    url, before = reverse(label, args=args), rows()
    for who in world.clients:
        for method in METHODS:
            asked = send(world.clients[who], method, url)
            assert asked.status_code in {302, 403}, (who, method)
            if asked.status_code == 302:
                assert "/login/" in asked.url
    assert rows() == before


def test_t01_every_page_of_the_admin_is_in_the_table():
    named = {name for name, _ in all_routes() if name.startswith("admin:")}
    of_models = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ADMIN_PAGES
    }
    # Without a name: redirects of old addresses, and what no page answers.
    assert named - of_models - {"admin:None"} == set(ADMIN)


@pytest.mark.parametrize("name", sorted(ADMIN))
def test_t01_the_other_pages_of_the_admin_are_for_staff(world, name):
    url, before = reverse(name, args=ADMIN[name]), rows()
    for who in world.clients:
        for method in METHODS:
            asked = send(world.clients[who], method, url)
            assert asked.status_code in {302, 403, 405}, (who, method)
    assert rows() == before
