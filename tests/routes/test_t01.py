"""T01: every route, everybody, every method, and nobody sees across.

A route that is not in the table fails here.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.urls.exceptions import NoReverseMatch

from accounts.models import random_public_id
from accounts.rights import ROLES_WITH
from tests.routes.addresses import all_routes
from tests.routes.conftest import METHODS, body, rows, send
from tests.routes.table import ACTION, ADMIN, ORGANIZATION, OTHERS

FOREIGN = ("other owner", "stranger")
ROLES = ("member", "admin", "owner")
# It calls Confluence, which a test may leave without an answer, but it was let in.
LET_IN = {200, 302, 303, 400, 405, 409, 410, 422, 502, 503}
# Objects that one person made and no other sees, whatever their role.
OWNERS_OWN = {"confluence_link:confirm_link"}


def test_t01_every_route_is_in_the_table():
    named = {
        name
        for name, _ in all_routes()
        if not name.startswith("admin:") and not name.endswith("None")
    }
    assert named == {*ORGANIZATION, *OTHERS}


def test_t01_everything_below_an_organization_is_an_organizations():
    below = {name for name, pattern in all_routes() if pattern.startswith("o/")}
    assert below == set(ORGANIZATION)


# Below an organization
# ------------------------------------------------------------------------------
def test_t01_strangers_cannot_tell_an_organization_from_none(world):
    before = rows()
    for name, route in ORGANIZATION.items():
        missing = world.url(name, route, slug="no-such-organization")
        for who in FOREIGN:
            for method in METHODS:
                asked = send(world.clients[who], method, world.url(name, route))
                none = send(world.clients[who], method, missing)
                got = (asked.status_code, none.status_code)
                assert got in {(404, 404), (405, 405)}, (name, who, method)
                assert body(asked) == body(none), (name, who, method)
        assert rows() == before, name


def test_t01_whoever_is_not_signed_in_is_sent_to_sign_in(world):
    before = rows()
    for name, route in ORGANIZATION.items():
        for method in METHODS:
            asked = send(world.clients["anonymous"], method, world.url(name, route))
            if asked.status_code != 405:
                assert asked.status_code == 302, (name, method)
                assert asked.url.startswith(reverse("account_login")), (name, method)
    assert rows() == before


def test_t01_no_object_is_reached_through_another_organization(world):
    before, own = rows(), world.other_organization.slug
    client = world.clients["other owner"]
    for name, route in ORGANIZATION.items():
        if not route.objects:
            continue
        for method in METHODS:
            asked = send(client, method, world.url(name, route, slug=own))
            none = send(client, method, world.url(name, route, slug=own, unknown=True))
            assert asked.status_code == none.status_code, (name, method)
            assert asked.status_code not in {200, 302, 303, 500}, (name, method)
            assert body(asked) == body(none), (name, method)
        assert rows() == before, name


@pytest.mark.parametrize("name", sorted(ORGANIZATION))
def test_t01_a_role_gets_what_the_table_of_rights_says(world, name):
    route = ORGANIZATION[name]
    may = ROLES_WITH[route.right] if route.right else ROLES
    if "GET" in route.methods:
        for who in ROLES:
            asked = send(world.clients[who], "GET", world.url(name, route))
            assert is_right(asked, name, who, who in may), (who, asked.status_code)
    if "POST" in route.methods:
        before = rows()
        for who in set(ROLES) - set(may):
            asked = send(world.clients[who], "POST", world.url(name, route))
            assert asked.status_code == 403, who
        assert rows() == before
        asked = send(world.clients["owner"], "POST", world.url(name, route))
        assert asked.status_code in LET_IN


def is_right(asked, name, who, may):
    if not may:
        return asked.status_code == 403
    if name in OWNERS_OWN and who != "owner":
        return asked.status_code in {400, 404}
    return asked.status_code in LET_IN


def test_t01_no_other_method_is_answered(world):
    before = rows()
    for name, route in ORGANIZATION.items():
        for method in set(METHODS) - route.methods - {"OPTIONS", "HEAD"}:
            asked = send(world.clients["owner"], method, world.url(name, route))
            assert asked.status_code == 405, (name, method)
    assert rows() == before


def test_t01_looking_changes_nothing(world):
    looked_at = {
        name: route for name, route in ORGANIZATION.items() if route.methods != ACTION
    }
    # The first call to Confluence marks the grant as used.
    page = "confluence_link:linked_site"
    send(world.clients["owner"], "GET", world.url(page, ORGANIZATION[page]))
    before = rows()
    for name, route in looked_at.items():
        for method in ("GET", "HEAD"):
            send(world.clients["owner"], method, world.url(name, route))
        assert rows() == before, name


# What belongs to no organization
# ------------------------------------------------------------------------------
def test_t01_what_is_a_persons_own_wants_a_sign_in(world):
    before = rows()
    for name in (name for name, kind in OTHERS.items() if kind == "signed_in"):
        for method in ("GET", "POST"):
            asked = send(world.clients["anonymous"], method, plain_url(name))
            assert asked.status_code in {302, 405}, (name, method)
            if asked.status_code == 302:
                assert asked.url.startswith(reverse("account_login")), (name, method)
    assert rows() == before


def plain_url(name):
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=["cloud"])


# The API
# ------------------------------------------------------------------------------
API = sorted(name for name, kind in OTHERS.items() if kind == "api")


def test_t01_no_session_opens_the_api(world):
    before = rows()
    for name in API:
        for who in world.clients:
            for method in METHODS:
                asked = send(world.clients[who], method, api_url(world, name))
                assert asked.status_code in {401, 405}, (name, who, method)
    assert rows() == before


def test_t01_a_key_opens_its_own_organization_alone(world):
    before, client = rows(), Client()
    for name in API:
        for method in METHODS:
            url, unknown = api_url(world, name), api_url(world, name, unknown=True)
            asked = send(client, method, url, key=world.key_of_b)
            none = send(client, method, unknown, key=world.key_of_b)
            assert asked.status_code == none.status_code, (name, method)
            assert asked.content == none.content, (name, method)
            assert world.objects["linked_site"].encode() not in asked.content, name
    assert rows() == before


def api_url(world, name, *, unknown=False):
    try:
        return reverse(name)
    except NoReverseMatch:
        site = random_public_id() if unknown else world.objects["linked_site"]
        return reverse(name, args=[site])


# The admin
# ------------------------------------------------------------------------------
ADMIN_PAGES = ["changelist", "add", "change", "history", "delete"]


def test_t01_every_page_of_the_admin_is_in_the_table():
    named = {name for name, _ in all_routes() if name.startswith("admin:")}
    of_models = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ADMIN_PAGES
    }
    # Without a name: redirects of old addresses, and what no page answers.
    assert named - of_models - {"admin:None"} == set(ADMIN)


def test_t01_the_admin_is_for_staff(world):
    before = rows()
    for url in admin_urls():
        for who in world.clients:
            for method in METHODS:
                asked = send(world.clients[who], method, url)
                assert asked.status_code in {302, 403, 405}, (url, who, method)
                if asked.status_code == 302:
                    assert "/login/" in asked.url, (url, who)
    assert rows() == before


def admin_urls():
    # Whoever likes may sign out there, and would be another then.
    for name in set(ADMIN) - {"admin:logout"}:
        yield reverse(name, args=ADMIN[name])
    for model in admin.site._registry:
        row = model._base_manager.first()
        for page in ADMIN_PAGES:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
            of_row = page not in {"changelist", "add"}
            yield reverse(name, args=[row.pk if row else 1] if of_row else [])
