"""Every list asks the same number of queries however long it is (R07).

No clock is looked at: a page that asks the same, and shows a page of rows, is as fast
as the database's indexes are.
"""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Membership, User
from confluence_link.models import Event, Grant, LinkedSite, VacantSite, database_now
from tests import factories, many

# A page of rows and no more, at any size. Rows may be of several elements.
SHOWN_AT_MOST = 400_000

OF_ORGANIZATION = (
    "confluence_link:organization",
    "confluence_link:linked_sites",
    "confluence_link:audit_log",
    "confluence_link:audit_log_csv",
    "confluence_link:servers",
    "confluence_link:link_invitations",
    "accounts:members",
    "accounts:keys",
    "accounts:organization_settings",
)


@pytest.fixture
def of_who_leaves(organization, alice, alice_client, carol, carol_client):
    """Pages that ask who takes over what Alice, one of two owners, linked."""
    Membership.objects.filter(user=carol).update(role=Membership.Role.OWNER)
    alices = Membership.objects.get(user=alice, organization=organization)
    vacant_site = VacantSite.objects.create(
        organization=organization,
        oauth_app=factories.make_oauth_app(),
        public_id="vacant",
        name="Vacant",
        vacated_at=database_now(),
    )
    slug = organization.slug
    return {
        reverse("confluence_link:leave", args=[slug]): alice_client,
        reverse(
            "confluence_link:remove_member", args=[slug, alices.public_id]
        ): carol_client,
        reverse(
            "confluence_link:name_adopter", args=[slug, vacant_site.public_id]
        ): alice_client,
    }


@pytest.fixture
def pages(organization, alice, alice_client, admin_client, of_who_leaves):
    """Every list, with who looks at it."""
    lists = {
        reverse(name, args=[organization.slug]): alice_client
        for name in OF_ORGANIZATION
    }
    linked_sites = reverse("confluence_link:linked_sites", args=[organization.slug])
    audit_log = reverse("confluence_link:audit_log", args=[organization.slug])
    lists[f"{linked_sites}?page=2"] = alice_client
    lists[f"{audit_log}?kind=access&site=Site&person={alice.email}"] = alice_client
    lists[reverse("admin:index")] = admin_client
    lists |= of_who_leaves
    for model in admin.site._registry:
        app, name = model._meta.app_label, model._meta.model_name
        lists[reverse(f"admin:{app}_{name}_changelist")] = admin_client
    return lists


@pytest.fixture
def asked(pages):
    def asked():
        """How many queries each page asks."""
        counts = {}
        for address, client in pages.items():
            with CaptureQueriesContext(connection) as queries:
                response = client.get(address)
            assert response.status_code == 200, address
            if "csv" not in response["Content-Type"]:
                assert len(response.content) < SHOWN_AT_MOST, address
            counts[address] = len(queries)
        return counts

    return asked


def some(organization, alice, count):
    """Rows of every kind that lists are made of."""
    app = factories.make_oauth_app()
    people = many.members(organization, count)
    sites = many.links(organization, alice, count, app=app)
    many.links(
        organization, alice, count, app=app, status=Grant.Status.RECONNECT_NEEDED
    )
    many.refreshed(sites)
    many.events(sites, Event.Kind.REFRESH_FAILED)
    many.events(
        sites,
        Event.Kind.LINKED,
        organization=organization,
        actor=people[0],
        facts={"site": "Site"},
    )
    return sites[0]


def test_lists_ask_the_same_at_ten_and_at_ten_thousand_linked_sites(
    asked, organization, alice
):
    some(organization, alice, 35)
    asked()
    few = asked()

    some(organization, alice, 5_000)

    assert LinkedSite.objects.count() > 10_000
    assert asked() == few


def test_r07_ten_thousand_members_and_a_hundred_thousand_links_ask_no_more(
    asked, organization, alice
):
    site = some(organization, alice, 35)
    asked()
    few = asked()

    some_thousands(site, organization)

    assert Membership.objects.count() > 10_000
    assert LinkedSite.objects.count() > 100_000
    assert asked() == few


def some_thousands(site, organization):
    """Made by the database itself, which takes seconds."""
    person = User.objects.filter(email__startswith="member").first()
    many.copies(person, 10_000, email="'big' || n || '@example.org'")
    many.copies_for(
        Membership.objects.get(user=person),
        User,
        "parent.email LIKE 'big%%'",
        user_id="parent.id",
        public_id="'big' || parent.id",
    )
    many.copies(site.grant, 100_000, account_id="'big' || n", public_id="'big' || n")
    many.copies_for(
        site,
        Grant,
        "parent.account_id LIKE 'big%%'",
        grant_id="parent.id",
        public_id="parent.public_id",
        site_id="parent.public_id",
    )
    event = Event.objects.filter(kind=Event.Kind.LINKED, grant=site.grant).first()
    many.copies_for(
        event, Grant, "parent.account_id LIKE 'big%%'", grant_id="parent.id"
    )
