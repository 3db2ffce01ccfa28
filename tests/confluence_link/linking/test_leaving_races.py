"""Somebody links while somebody else removes them: one of the two comes first."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts import invitations, owners, service_keys
from accounts.mailed_links import digest
from accounts.models import Membership, Organization, ServiceKey, User
from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.linking import deleting, leaving
from confluence_link.models import (
    Event,
    Grant,
    LinkedSite,
    PendingLink,
    SealedTokenSet,
)
from tests.confluence_link.linking.pendings import make_pending
from tests.waiting import while_it_waits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def membership(carol, organization):
    return Membership.objects.select_related("user", "organization").get(user=carol)


@pytest.fixture
def confirm(carol, organization, cloud_app):
    pending = make_pending(user=carol, organization=organization, oauth_app=cloud_app)
    return lambda: linking.confirm(pending=pending, site_ids=["northwind"], actor=carol)


def _nothing_is_left():
    return not (
        LinkedSite.objects.exists()
        or SealedTokenSet.objects.exists()
        or PendingLink.objects.exists()
        or Grant.objects.exclude(status=Grant.Status.UNLINKED).exists()
    )


def test_t05_a_link_that_waited_for_the_removal_is_refused(membership, confirm, alice):
    with pytest.raises(LinkRefused, match="not_member"):
        while_it_waits(
            confirm,
            lambda: leaving.end_membership(membership=membership, actor=alice),
        )
    assert _nothing_is_left()


def test_t05_a_removal_that_waited_for_the_link_ends_it(membership, confirm, alice):
    while_it_waits(
        lambda: leaving.end_membership(membership=membership, actor=alice), confirm
    )
    assert not Membership.objects.filter(pk=membership.pk).exists()
    assert _nothing_is_left()


def test_t08_of_two_owners_who_leave_at_once_one_stays(
    membership, alice, carol, organization
):
    Membership.objects.filter(pk=membership.pk).update(role="owner")
    alices = Membership.objects.get(user=alice, organization=organization)
    with pytest.raises(owners.NoOwnerLeft):
        while_it_waits(
            lambda: leaving.end_membership(membership=membership, actor=carol),
            lambda: leaving.end_membership(membership=alices, actor=alice),
        )
    assert organization.memberships.get().user == carol


def _switch_off(row):
    row.is_active = False
    row.save()


@pytest.mark.parametrize("model", [User, Organization])
def test_t07_what_is_linked_meanwhile_rests_as_well(
    confirm, model, carol, organization
):
    row = model.objects.get(pk=carol.pk if model is User else organization.pk)
    while_it_waits(lambda: _switch_off(row), confirm)
    assert Grant.objects.get().status == Grant.Status.PAUSED


@pytest.mark.parametrize("model", [User, Organization])
def test_t07_nobody_links_for_what_is_switched_off_meanwhile(
    confirm, model, carol, organization
):
    row = model.objects.get(pk=carol.pk if model is User else organization.pk)
    with pytest.raises(LinkRefused, match="not_member"):
        while_it_waits(confirm, lambda: _switch_off(row))
    assert not Grant.objects.exists()


def test_a_member_is_removed_once(membership, alice):
    copy = Membership.objects.get(pk=membership.pk)
    while_it_waits(
        lambda: leaving.end_membership(membership=copy, actor=alice),
        lambda: leaving.end_membership(membership=membership, actor=alice),
    )
    assert Event.objects.filter(kind=Event.Kind.MEMBER_REMOVED).count() == 1


def test_t05_a_key_that_is_made_while_its_maker_is_removed_is_none(
    membership, alice, carol, organization
):
    Membership.objects.filter(pk=membership.pk).update(role="admin")
    with pytest.raises(PermissionDenied):
        while_it_waits(
            lambda: service_keys.make(
                organization=organization,
                name="Search",
                scopes=["sites:read"],
                expires_at=None,
                actor=carol,
                now=timezone.now(),
            ),
            lambda: leaving.end_membership(membership=membership, actor=alice),
        )
    assert not ServiceKey.objects.exists()


@pytest.fixture
def join(carol, bob, other_organization):
    """Carol becomes an owner of Bob's organization."""
    now = timezone.now()
    _, token = invitations.invite(
        organization=other_organization,
        email=carol.email,
        role="owner",
        actor=bob,
        now=now,
    )
    token_hash = digest(token)
    return lambda: invitations.accept(token_hash=token_hash, user=carol, now=now)


def _delete(user):
    deleting.delete_person(user=User.objects.get(pk=user.pk))


def test_t08_nobody_joins_whose_account_is_being_deleted(organization, join, carol):
    with pytest.raises(invitations.InvitationRefused):
        while_it_waits(join, lambda: _delete(carol))
    assert not Membership.objects.filter(user=carol.pk).exists()


def test_t08_an_account_that_is_deleted_leaves_what_it_joined_meanwhile(
    organization, join, carol, other_organization, bob
):
    while_it_waits(lambda: _delete(carol), join)
    assert other_organization.memberships.get().user == bob
