"""Operators delete and switch off people and organizations through the flows."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Membership, Organization, User
from confluence_link.models import Event, Grant, SealedTokenSet, VacantSite


def delete_url(row):
    return reverse(f"admin:accounts_{row._meta.model_name}_delete", args=[row.pk])


def list_url(model):
    return reverse(f"admin:accounts_{model._meta.model_name}_changelist")


@pytest.fixture
def delete(admin_client):
    return lambda row: admin_client.post(delete_url(row), {"post": "yes"})


@pytest.fixture
def delete_picked(admin_client):
    def delete(*rows):
        picked = {
            "action": "delete_selected",
            "_selected_action": [row.pk for row in rows],
            "post": "yes",
        }
        return admin_client.post(list_url(type(rows[0])), picked)

    return delete


@pytest.fixture
def two_owners(carol, organization):
    Membership.objects.filter(user=carol).update(role="owner")


def test_t18_an_organization_is_deleted_with_its_secrets(
    cloud_grant, organization, delete
):
    assert delete(organization).status_code == 302
    assert not Organization.objects.exists()
    assert not SealedTokenSet.objects.exists()
    event = Event.objects.get(kind=Event.Kind.ORGANIZATION_DELETED)
    assert event.actor.email == "ada@example.org"


def test_t18_so_are_several(
    cloud_grant, organization, other_organization, delete_picked
):
    delete_picked(organization, other_organization)
    assert not Organization.objects.exists()
    assert not SealedTokenSet.objects.exists()


def test_a_person_is_deleted_with_their_grants(cloud_grant, alice, two_owners, delete):
    assert delete(alice).status_code == 302
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Grant.objects.exists()
    assert VacantSite.objects.exists()


def test_so_are_several_people(cloud_grant, alice, bob, two_owners, delete_picked):
    delete_picked(alice, bob)
    assert not User.objects.filter(pk__in=[alice.pk, bob.pk]).exists()
    assert not SealedTokenSet.objects.exists()


def test_t08_the_only_owner_of_others_is_not_deleted(
    cloud_grant, alice, admin_client, delete
):
    page = admin_client.get(delete_url(alice)).content.decode()
    assert "Alice and Co: alice@example.org is the only owner" in page
    delete(alice)
    assert User.objects.filter(pk=alice.pk).exists()
    assert SealedTokenSet.objects.exists()


def test_t07_an_organization_is_switched_off_and_on(
    cloud_grant, organization, admin_client, alice_client
):
    url = reverse("admin:accounts_organization_change", args=[organization.pk])
    form = {"name": organization.name, "memberships-INITIAL_FORMS": 2}
    for number, membership in enumerate(organization.memberships.order_by("pk")):
        form |= {
            f"memberships-{number}-id": membership.pk,
            f"memberships-{number}-organization": organization.pk,
            f"memberships-{number}-user": membership.user_id,
            f"memberships-{number}-role": membership.role,
        }
    form["memberships-TOTAL_FORMS"] = 2
    assert admin_client.post(url, form).status_code == 302
    assert Grant.objects.get().status == Grant.Status.PAUSED
    assert alice_client.get(organization.get_absolute_url()).status_code == 404
    admin_client.post(url, {**form, "is_active": "on"})
    assert Grant.objects.get().status == Grant.Status.ACTIVE
    assert alice_client.get(organization.get_absolute_url()).status_code == 200


def test_t07_a_person_is_switched_off(
    cloud_grant, alice, organization, admin_client, alice_client
):
    url = organization.get_absolute_url()
    assert alice_client.get(url).status_code == 200
    change = reverse("admin:accounts_user_change", args=[alice.pk])
    answer = admin_client.post(change, {"first_name": "Alice", "last_name": ""})
    assert answer.status_code == 302
    assert Grant.objects.get().status == Grant.Status.PAUSED
    assert alice_client.get(url).url.startswith(reverse("account_login"))
