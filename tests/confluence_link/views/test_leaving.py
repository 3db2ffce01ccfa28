"""Leaving and removing in the browser: what ends is said before it does."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import Membership
from confluence_link import notices
from confluence_link.models import LinkedSite, VacantSite
from tests import factories, grants, many


@pytest.fixture
def amy(organization):
    amy = factories.make_user("Amy")
    Membership.objects.create(organization=organization, user=amy, role="admin")
    return amy


@pytest.fixture
def amy_client(amy):
    return factories.sign_in(Client(), amy)


@pytest.fixture
def carols_site(sandbox, cloud_app, carol, organization):
    grant = grants.link_cloud(sandbox, cloud_app, user=carol, organization=organization)
    return LinkedSite.objects.for_organization(organization).get(grant=grant)


def public_id(user):
    return Membership.objects.filter(user=user).order_by("pk")[0].public_id


def remove_url(organization, user):
    name = "confluence_link:remove_member"
    return reverse(name, args=[organization.slug, public_id(user)])


def leave_url(organization):
    return reverse("confluence_link:leave", args=[organization.slug])


# Removing
# ------------------------------------------------------------------------------
def test_the_page_says_what_happens_to_each_site(
    alice_client, carols_site, carol, organization
):
    page = alice_client.get(remove_url(organization, carol))
    assert "Northwind" in page.content.decode()
    assert "until somebody else links it" in page.content.decode()
    assert "erased at once" in page.content.decode()
    assert "Who is asked to take" in page.content.decode()
    assert LinkedSite.objects.exists()


def test_t17_the_page_does_not_tell_whether_the_account_is_used_elsewhere(
    alice_client, carols_site, carol, organization
):
    alone = main_of(alice_client.get(remove_url(organization, carol)))
    other = factories.make_organization("Hidden elsewhere", owner=carol)
    LinkedSite.objects.create(
        organization=other, grant=carols_site.grant, site_id="x", name="X", url="u"
    )
    assert main_of(alice_client.get(remove_url(organization, carol))) == alone


def main_of(page):
    main = page.content.decode().partition("<main")[2]
    return re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", main)


def test_the_button_removes_and_asks_the_adopter(
    alice_client, carols_site, alice, carol, organization
):
    answer = alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": alice.email},
    )
    assert answer.url == reverse("accounts:members", args=[organization.slug])
    assert not Membership.objects.filter(user=carol).exists()
    assert VacantSite.objects.get().adopter == alice


def test_both_hear_of_it_by_mail_and_nobody_else_does(
    alice_client, amy, carols_site, carol, organization
):
    notices.send_pending()
    mail.outbox.clear()
    alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": amy.email},
    )
    notices.send_pending()
    asked, removed = sorted(mail.outbox, key=lambda each: each.to)
    assert (asked.to, removed.to) == (["amy@example.org"], ["carol@example.org"])
    assert "Northwind" in asked.subject
    assert "Alice and Co" in removed.subject
    # Text and HTML.
    assert asked.alternatives
    assert removed.alternatives


def test_t19_who_is_no_longer_asked_gets_no_mail(
    alice_client, amy, carols_site, carol, organization
):
    alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": amy.email},
    )
    Membership.objects.filter(user=amy).delete()
    mail.outbox.clear()
    notices.send_pending()
    assert [amy.email] not in [
        each.to for each in mail.outbox if "Northwind" in each.subject
    ]


def test_an_address_is_the_same_in_capitals(
    alice_client, carols_site, alice, carol, organization
):
    alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": "Alice@Example.org"},
    )
    assert VacantSite.objects.get().adopter == alice


@pytest.mark.parametrize("who", ["carol", "bob", "nobody", "inactive"])
def test_only_another_member_is_asked(
    alice_client, carols_site, carol, other_organization, organization, who
):
    inactive = factories.make_user("Inactive", is_active=False)
    factories.join(inactive, organization)
    answer = alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": f"{who}@example.org"},
    )
    assert "Nobody with this address is a member here." in answer.content.decode()
    assert Membership.objects.filter(user=carol).exists()


def test_nobody_is_asked_for_a_site_that_they_share_already(
    sandbox, cloud_app, alice_client, alice, carols_site, carol, organization
):
    LinkedSite.objects.update(site_id="northwind")
    grant = grants.copy_of(carols_site.grant)
    grant.user = alice
    grant.save()
    LinkedSite.objects.create(
        organization=organization, grant=grant, site_id="northwind", name="N", url="u"
    )
    answer = alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{carols_site.public_id}": alice.email},
    )
    assert "has linked this site already" in answer.content.decode()
    assert Membership.objects.filter(user=carol).exists()


def test_of_more_than_a_hundred_sites_the_rest_is_a_number(
    alice_client, alice, carol, organization
):
    sites = many.links(organization, carol, 103)
    page = alice_client.get(remove_url(organization, carol))
    assert len(page.context["ends"]) == 100
    assert "And 3 more linked sites." in page.content.decode()

    alice_client.post(
        remove_url(organization, carol),
        {f"adopter-{sites[0].public_id}": alice.email},
    )
    assert VacantSite.objects.filter(adopter=alice).count() == 1
    assert VacantSite.objects.filter(adopter=None).count() == 102


def test_an_admin_does_not_remove_an_owner(amy_client, alice, organization):
    assert amy_client.get(remove_url(organization, alice)).status_code == 403
    assert amy_client.post(remove_url(organization, alice)).status_code == 403
    assert Membership.objects.filter(user=alice).exists()


def test_an_admin_removes_a_member(amy_client, carol, organization):
    assert amy_client.post(remove_url(organization, carol)).status_code == 302
    assert not Membership.objects.filter(user=carol).exists()


def test_removing_oneself_is_leaving(amy_client, amy, organization):
    answer = amy_client.get(remove_url(organization, amy))
    assert answer.url == leave_url(organization)


def test_removing_wants_a_recent_sign_in(alice, carol, organization):
    client = factories.sign_in(Client(), alice, seconds_ago=3600)
    answer = client.post(remove_url(organization, carol))
    assert "reauthenticate" in answer.url
    assert Membership.objects.filter(user=carol).exists()


def test_t05_the_open_session_of_who_was_removed_sees_nothing(
    alice_client, carol_client, carols_site, carol, organization
):
    assert carol_client.get(carols_site.get_absolute_url()).status_code == 200
    alice_client.post(remove_url(organization, carol))
    for url in (carols_site.get_absolute_url(), organization.get_absolute_url()):
        assert carol_client.get(url).status_code == 404
        assert carol_client.post(url).status_code in {404, 405}


# Leaving
# ------------------------------------------------------------------------------
def test_a_member_leaves(carol_client, carols_site, carol, organization):
    page = carol_client.get(leave_url(organization)).content.decode()
    assert "Northwind" in page
    answer = carol_client.post(leave_url(organization))
    assert answer.url == reverse("home")
    assert not Membership.objects.filter(user=carol).exists()
    assert VacantSite.objects.get().adopter is None


def test_the_only_owner_is_told_to_hand_over_first(alice_client, organization):
    for page in (
        alice_client.get(leave_url(organization)),
        alice_client.post(leave_url(organization)),
    ):
        assert "only owner" in page.content.decode()
        assert reverse("accounts:members", args=[organization.slug]) in (
            page.content.decode()
        )
    assert organization.memberships.filter(role="owner").exists()


# Deleting the organization
# ------------------------------------------------------------------------------
@pytest.fixture
def delete_url(organization):
    return reverse("confluence_link:delete_organization", args=[organization.slug])


@pytest.mark.parametrize("typed", ["", "Alice", "Bob and Co"])
def test_an_organization_is_not_deleted_by_mistake(
    alice_client, delete_url, organization, typed
):
    page = alice_client.post(delete_url, {"name": typed})
    assert page.status_code == 200
    organization.refresh_from_db()


def test_an_owner_who_types_the_name_deletes_it(
    alice_client, delete_url, carols_site, organization
):
    assert "1 linked site" in alice_client.get(delete_url).content.decode()
    answer = alice_client.post(delete_url, {"name": " alice AND co "})
    assert answer.url == reverse("home")
    assert not type(organization).objects.filter(pk=organization.pk).exists()
    assert alice_client.get(delete_url).status_code == 404


def test_an_admin_does_not_delete_it(amy_client, delete_url):
    assert amy_client.post(delete_url, {"name": "Alice and Co"}).status_code == 403
