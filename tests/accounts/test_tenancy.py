from __future__ import annotations

import pytest
from django.http import Http404
from django.urls import reverse

from accounts.models import Membership
from accounts.tenancy import membership_of


def test_member_acts_with_the_role_of_the_membership(carol, organization):
    membership = membership_of(carol, organization.slug)

    assert membership.organization == organization
    assert membership.role == Membership.Role.MEMBER


def test_foreign_organization_is_not_found(bob, organization):
    with pytest.raises(Http404):
        membership_of(bob, organization.slug)


def test_foreign_organization_looks_like_a_missing_one(bob_client, organization):
    foreign = bob_client.get(organization.get_absolute_url())
    missing = bob_client.get(reverse("confluence_link:linked_sites", args=["none"]))

    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_membership_counts_as_it_is_now(carol_client, carol, organization):
    assert carol_client.get(organization.get_absolute_url()).status_code == 200

    Membership.objects.filter(user=carol).delete()

    assert carol_client.get(organization.get_absolute_url()).status_code == 404


def test_stranger_is_asked_to_sign_in_first(client, organization):
    page = client.get(organization.get_absolute_url())

    assert page.status_code == 302
    assert page.url.startswith(reverse("account_login"))
