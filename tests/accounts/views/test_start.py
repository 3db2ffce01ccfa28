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


def test_start_page_makes_no_organization_for_who_has_none(alice):
    page = factories.sign_in(Client(), alice).get("/")

    assert "You are in no organization" in page.content.decode()
    assert reverse("accounts:new_organization") in page.content.decode()
    assert not Organization.objects.exists()


def test_start_page_leads_who_opened_an_invitation_back_to_it(alice, invite):
    client = factories.sign_in(Client(), factories.make_user("Dora"))
    _, token = invite()
    client.get(reverse("accounts:open_invitation", args=[token]))

    assert reverse("accounts:accept_invitation") in client.get("/").content.decode()


def test_start_page_leads_to_the_organization_used_last(
    alice_client, organization, other_organization, alice
):
    Membership.objects.create(organization=other_organization, user=alice)

    alice_client.get(other_organization.get_absolute_url())

    assert alice_client.get("/").url == other_organization.get_absolute_url()


def test_start_page_forgets_an_organization_that_was_left_or_switched_off(
    alice_client, organization, other_organization, alice
):
    Membership.objects.create(organization=other_organization, user=alice)
    alice_client.get(other_organization.get_absolute_url())

    other_organization.is_active = False
    other_organization.save()

    assert alice_client.get("/").url == organization.get_absolute_url()


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
