"""Making an organization, and renaming it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Membership, Organization
from confluence_link.models import Event

NEW = "/organizations/new/"


def settings_of(organization):
    return reverse("accounts:organization_settings", args=[organization.slug])


def test_anyone_who_is_signed_in_makes_an_organization(carol_client, carol):
    page = carol_client.post(NEW, {"name": "Carol and Co"})

    made = Organization.objects.get(name="Carol and Co")
    assert page.url == made.get_absolute_url()
    assert made.memberships.get().role == Membership.Role.OWNER
    assert made.memberships.get().user == carol
    assert carol_client.get(page.url).status_code == 200


def test_a_new_organization_is_recorded(carol_client, carol):
    carol_client.post(NEW, {"name": "Carol and Co"})

    event = Event.objects.get(kind=Event.Kind.ORGANIZATION_CREATED)
    assert (event.actor, event.facts) == (carol, {"name": "Carol and Co"})


def test_a_stranger_signs_in_first(client, db):
    assert client.post(NEW, {"name": "X"}).url.startswith(reverse("account_login"))
    assert not Organization.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "\u202e", "x" * 101, "a\0b"])
def test_a_name_that_is_none_is_refused(carol_client, name):
    before = Organization.objects.count()

    assert carol_client.post(NEW, {"name": name}).status_code == 200
    assert Organization.objects.count() == before


def test_t10_a_name_becomes_one_line(carol_client):
    carol_client.post(NEW, {"name": "Carol\r\nBcc: eve@example.org"})

    assert Organization.objects.filter(name="Carol Bcc: eve@example.org").exists()


def test_not_many_organizations_at_once(carol_client):
    answers = [carol_client.post(NEW, {"name": "Again"}).status_code for _ in range(11)]

    assert answers == [302] * 10 + [429]


def test_an_owner_renames_and_the_address_stays(alice_client, organization, alice):
    address = organization.get_absolute_url()

    alice_client.post(settings_of(organization), {"name": "Alice and Friends"})

    organization.refresh_from_db()
    assert organization.name == "Alice and Friends"
    assert organization.get_absolute_url() == address
    event = Event.objects.get(kind=Event.Kind.ORGANIZATION_CHANGED)
    assert event.actor == alice
    assert event.facts == {"name": "Alice and Friends", "was": "Alice and Co"}


def test_a_refused_name_leaves_the_old_one_on_the_page(alice_client, organization):
    page = alice_client.post(settings_of(organization), {"name": "x" * 101})

    assert "Alice and Co" in page.content.decode()
    assert "x" * 101 not in page.content.decode().partition("<main")[0]


@pytest.mark.parametrize("role", ["admin", "member"])
def test_nobody_but_owners_renames(carol_client, organization, carol, role):
    organization.memberships.filter(user=carol).update(role=role)

    assert carol_client.get(settings_of(organization)).status_code == 403
    answer = carol_client.post(settings_of(organization), {"name": "Mine"})
    assert answer.status_code == 403


def test_the_settings_lead_to_the_end(alice_client, organization):
    text = alice_client.get(settings_of(organization)).content.decode()

    end = reverse("confluence_link:delete_organization", args=[organization.slug])
    assert end in text
