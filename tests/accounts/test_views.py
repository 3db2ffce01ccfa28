from __future__ import annotations

from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Organization
from tests import factories


def test_start_page_tells_a_stranger_how_to_begin(client):
    page = client.get("/")

    assert page.status_code == 200
    assert reverse("account_signup") in page.content.decode()
    assert reverse("account_login") in page.content.decode()


def test_start_page_leads_a_member_to_the_organization(alice_client, organization):
    page = alice_client.get("/")

    assert page.status_code == 302
    assert page.url == organization.get_absolute_url()


def test_start_page_makes_an_organization_for_who_has_none(alice):
    page = factories.sign_in(Client(), alice).get("/")

    own = Organization.objects.get()
    assert page.url == own.get_absolute_url()
    assert own.memberships.get().user == alice


def test_start_page_prefers_the_organization_that_came_first(
    alice_client, organization, other_organization, alice
):
    Membership.objects.create(organization=other_organization, user=alice)

    assert alice_client.get("/").url == organization.get_absolute_url()


def test_account_menu_leads_to_the_admin_for_staff_alone(alice_client, admin_client):
    address = reverse("account_email")

    assert reverse("admin:index") in admin_client.get(address).content.decode()
    assert reverse("admin:index") not in alice_client.get(address).content.decode()


def test_site_notice_is_over_every_page_and_escaped(client, settings):
    settings.SITE_NOTICE = "A <test> installation"

    for address in ("/", reverse("account_login")):
        assert "A &lt;test&gt; installation" in client.get(address).content.decode()
