from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Membership, Organization, User, new_slug


def test_own_organization_is_made_once(alice):
    first = Organization.objects.own_of(alice)

    assert Organization.objects.own_of(alice) == first
    assert Organization.objects.count() == 1


def test_own_organization_is_named_after_the_person_who_owns_it(alice):
    own = Organization.objects.own_of(alice)

    assert own.name == "alice's organization"
    assert own.memberships.get().role == Membership.Role.OWNER


def test_own_organization_of_a_member_is_the_one_already_there(carol, organization):
    assert Organization.objects.own_of(carol) == organization


def test_organizations_of_a_person_leave_out_foreign_ones(
    alice, organization, other_organization
):
    assert list(Organization.objects.of(alice)) == [organization]


def test_slugs_of_equal_names_differ():
    assert new_slug("Alice and Co") != new_slug("Alice and Co")


@pytest.mark.parametrize("name", ["", "東京", "!?", "x" * 300])
def test_slug_of_any_name_is_short_and_fit_for_a_url(name):
    slug = new_slug(name)

    assert 7 < len(slug) <= 60
    assert slug.replace("-", "").isalnum()
    assert slug.isascii()


@pytest.mark.django_db
def test_user_signs_in_by_address_and_has_no_username():
    user = User.objects.create_user("Dora@EXAMPLE.org", "a long password")

    assert user.get_username() == "Dora@example.org"
    assert user.check_password("a long password")
    assert not user.is_staff


@pytest.mark.django_db
def test_superuser_has_all_rights():
    admin = User.objects.create_superuser("ada@example.org", "a long password")

    assert admin.is_staff
    assert admin.is_superuser


def test_address_belongs_to_one_user(alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(alice.email)


def test_person_is_once_in_an_organization(alice, organization):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(organization=organization, user=alice)


def test_what_was_deleted_meanwhile_is_not_renamed(organization, alice):
    gone = Organization.objects.get(pk=organization.pk)
    organization.delete()
    gone.rename("Another name", actor=alice)
    assert not Organization.objects.exists()
