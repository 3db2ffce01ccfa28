"""The frame of every page: the switcher, the tabs, where one is."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership
from tests import factories, many

TABS = re.compile(r'<nav class="tabs".*?</nav>', re.DOTALL)
SWITCHER = re.compile(r'<details class="menu menu--start".*?</details>', re.DOTALL)


def page(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def tabs(client, organization):
    """Words of the tabs on the organization's home."""
    (nav,) = TABS.findall(page(client, organization.get_absolute_url()))
    return re.findall(r">([^<]+)</a>", nav)


@pytest.fixture
def admin(organization):
    admin = factories.make_user("Adam")
    Membership.objects.create(organization=organization, user=admin, role="admin")
    return factories.sign_in(Client(), admin)


def test_an_owner_has_every_tab(alice_client, organization):
    assert tabs(alice_client, organization) == [
        "Home",
        "Linked sites",
        "Members",
        "Servers",
        "Keys",
        "Audit log",
        "Settings",
    ]


def test_an_admin_has_all_tabs_but_the_settings(admin, organization):
    assert set(tabs(admin, organization)) >= {"Servers", "Audit log"}
    assert "Settings" not in tabs(admin, organization)


def test_a_member_has_the_tabs_for_everyone(carol_client, organization):
    assert tabs(carol_client, organization) == ["Home", "Linked sites", "Members"]


def test_the_page_itself_is_marked(alice_client, organization):
    html = page(alice_client, organization.get_absolute_url())

    assert re.findall(r'aria-current="page">([^<]+)', html) == ["Home"]


def test_a_page_below_marks_the_tab_above_it(alice_client, alice, organization):
    (site,) = many.links(organization, alice)
    address = reverse(
        "confluence_link:timeline", args=[organization.slug, site.public_id]
    )

    (nav,) = TABS.findall(page(alice_client, address))

    assert re.findall(r'aria-current="true">([^<]+)', nav) == ["Linked sites"]
    assert 'aria-current="page"' not in nav


@pytest.mark.parametrize(
    ("view", "tab"),
    [
        ("confluence_link:link_invitations", "Linked sites"),
        ("confluence_link:leave", "Members"),
        ("confluence_link:delete_organization", "Settings"),
    ],
)
def test_a_page_with_an_address_of_its_own_marks_its_tab(
    alice_client, organization, view, tab
):
    html = page(alice_client, reverse(view, args=[organization.slug]))

    assert re.findall(r'aria-current="true">([^<]+)', html) == [tab]


def test_a_page_of_no_organization_has_no_tabs(alice_client):
    html = page(alice_client, reverse("account_email"))

    assert not TABS.search(html)
    assert SWITCHER.search(html)


def test_the_switcher_lists_ones_organizations_with_the_role_in_each(
    alice_client, alice, organization, other_organization
):
    factories.join(alice, other_organization)

    (switcher,) = SWITCHER.findall(page(alice_client, reverse("account_email")))

    found = re.findall(r'href="([^"]+)"[^>]*><bdi>([^<]+)</bdi>.*?>(\w+)<', switcher)
    assert found == [
        (organization.get_absolute_url(), "Alice and Co", "owner"),
        (other_organization.get_absolute_url(), "Bob and Co", "member"),
    ]


def test_t03_the_switcher_lists_no_foreign_organization(
    carol_client, other_organization
):
    assert other_organization.slug not in page(carol_client, reverse("account_email"))


def test_the_switcher_leaves_out_an_organization_that_is_switched_off(
    alice_client, alice, other_organization
):
    factories.join(alice, other_organization)
    other_organization.is_active = False
    other_organization.save()

    assert "Bob and Co" not in page(alice_client, reverse("account_email"))


def test_a_hostile_name_is_escaped_in_switcher_and_tabs(alice_client, organization):
    organization.name = '<script>alert(1)</script>" onclick="{{ 7|add:7 }}'
    organization.save()

    html = page(alice_client, organization.get_absolute_url())

    assert "<script>alert(1)" not in html
    assert '" onclick="' not in html


def test_the_frame_asks_the_same_for_one_organization_and_for_many(
    alice_client, alice, organization
):
    def count():
        with CaptureQueriesContext(connection) as queries:
            page(alice_client, organization.get_absolute_url())
        return len(queries)

    count()
    few = count()
    for _ in range(30):
        factories.join(alice, factories.make_organization())

    assert count() == few
