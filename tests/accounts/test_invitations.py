"""Inviting and joining, below any page."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from accounts import invitations
from accounts.invitations import AlreadyMember, InvitationRefused
from accounts.isolation import acting_for
from accounts.mailed_links import digest
from accounts.models import Invitation, Membership
from confluence_link.models import Event
from tests import factories


@pytest.fixture
def dora(db):
    return factories.make_user("Dora")


def accept(token, user, now=None):
    return invitations.accept(
        token_hash=digest(token), user=user, now=now or timezone.now()
    )


def refusal(token, user, now=None):
    with pytest.raises(InvitationRefused) as refused:
        accept(token, user, now)
    return refused.value.reason


def test_who_is_invited_joins_with_the_role(invite, organization, dora):
    _, token = invite(role="admin")

    membership = accept(token, dora)

    assert (membership.organization, membership.user) == (organization, dora)
    assert membership.role == "admin"


def test_joining_and_inviting_are_recorded(invite, organization, alice, dora):
    _, token = invite()
    accept(token, dora)

    invited = Event.objects.get(kind=Event.Kind.MEMBER_INVITED)
    joined = Event.objects.get(kind=Event.Kind.MEMBER_JOINED)
    facts = {"who": "dora@example.org", "role": "member"}
    assert (invited.actor, invited.facts) == (alice, facts)
    assert (joined.actor, joined.organization, joined.facts) == (
        dora,
        organization,
        facts,
    )


def test_t09_only_the_hash_of_the_token_is_stored(invite):
    invitation, token = invite()

    stored = Invitation.objects.values_list().get(pk=invitation.pk)
    assert token not in str(stored)
    assert invitation.token_hash == digest(token)
    assert token not in str(list(Event.objects.values_list()))


def test_tokens_have_256_bits_and_differ(invite):
    tokens = {invite(email=f"{n}@example.org")[1] for n in range(5)}

    assert {len(token) for token in tokens} == {43}
    assert len(tokens) == 5


def test_t09_an_invitation_works_once(invite, dora):
    _, token = invite()
    accept(token, dora)
    Membership.objects.filter(user=dora).delete()

    assert refusal(token, dora) == "gone"
    assert not Membership.objects.filter(user=dora).exists()


def test_t09_an_invitation_lives_for_seven_days(invite, dora):
    now = timezone.now()
    _, token = invite(now=now)

    assert refusal(token, dora, now + timedelta(days=7)) == "gone"
    assert accept(token, dora, now + timedelta(days=7, seconds=-1))


def test_t09_a_revoked_invitation_is_gone(invite, alice, dora):
    invitation, token = invite()

    invitations.revoke(invitation=invitation, actor=alice, now=timezone.now())

    assert refusal(token, dora) == "gone"
    assert Event.objects.filter(kind=Event.Kind.INVITATION_REVOKED).count() == 1


def test_revoking_twice_is_recorded_once(invite, alice):
    invitation, _ = invite()

    for _ in range(2):
        invitations.revoke(invitation=invitation, actor=alice, now=timezone.now())

    assert Event.objects.filter(kind=Event.Kind.INVITATION_REVOKED).count() == 1


def test_an_accepted_invitation_is_not_revoked(invite, alice, dora):
    invitation, token = invite()
    accept(token, dora)

    invitations.revoke(invitation=invitation, actor=alice, now=timezone.now())

    invitation.refresh_from_db()
    assert invitation.revoked_at is None


def test_t09_another_address_is_refused(invite, bob):
    _, token = invite()

    assert refusal(token, bob) == "other_address"


def test_t09_an_unverified_address_is_refused(invite, bob):
    _, token = invite()
    EmailAddress.objects.create(user=bob, email="dora@example.org", verified=False)

    assert refusal(token, bob) == "unverified_address"


def test_any_verified_address_of_the_person_counts_in_any_case(invite, bob):
    _, token = invite(email="Dora@Example.org")
    EmailAddress.objects.create(user=bob, email="DORA@example.org", verified=True)

    assert accept(token, bob).user == bob


@pytest.mark.parametrize(
    ("inviter", "offered"),
    [("admin", "owner"), ("member", "member"), ("member", "owner")],
)
def test_t09_a_role_above_the_inviters_is_not_offered(
    invite, organization, dora, inviter, offered
):
    Membership.objects.create(organization=organization, user=dora, role=inviter)

    with pytest.raises(PermissionDenied):
        invite(actor=dora, email="x@example.org", role=offered)


def test_somebody_from_elsewhere_invites_nobody(invite, bob, other_organization):
    with pytest.raises(PermissionDenied):
        invite(actor=bob)


def test_an_admin_revokes_no_invitation_of_an_owner(invite, organization, dora):
    Membership.objects.create(organization=organization, user=dora, role="admin")
    invitation, _ = invite(email="x@example.org", role="owner")

    with pytest.raises(PermissionDenied):
        invitations.revoke(invitation=invitation, actor=dora, now=timezone.now())


@pytest.fixture
def eve(organization):
    """A second owner, who invites and then goes."""
    user = factories.make_user("Eve")
    Membership.objects.create(organization=organization, user=user, role="owner")
    return user


def test_t09_an_invitation_ends_with_its_inviters_membership(invite, eve, dora):
    _, token = invite(actor=eve)
    Membership.objects.get(user=eve).delete()

    assert refusal(token, dora) == "gone"


def test_t09_coming_back_revives_no_invitation(invite, eve, dora, organization):
    _, token = invite(actor=eve)
    Membership.objects.get(user=eve).delete()
    Membership.objects.create(organization=organization, user=eve, role="owner")

    assert refusal(token, dora) == "gone"


@pytest.mark.parametrize(
    ("now", "offered"), [("member", "member"), ("admin", "owner"), ("member", "owner")]
)
def test_t09_an_inviter_below_the_right_invites_no_more(
    invite, eve, dora, now, offered
):
    _, token = invite(actor=eve, role=offered)
    # Without any receiver: the role is read when somebody joins.
    Membership.objects.filter(user=eve).update(role=now)

    assert refusal(token, dora) == "gone"


def test_an_inviter_who_is_switched_off_invites_no_more(invite, eve, dora):
    _, token = invite(actor=eve)
    eve.is_active = False
    eve.save()

    assert refusal(token, dora) == "gone"


def test_nobody_joins_an_organization_that_is_switched_off(invite, organization, dora):
    _, token = invite()
    organization.is_active = False
    organization.save()

    assert refusal(token, dora) == "gone"


def test_inviting_again_replaces_the_older_invitation(invite, dora):
    _, older = invite()
    _, newer = invite(email="DORA@example.org", role="admin")

    assert refusal(older, dora) == "gone"
    assert accept(newer, dora).role == "admin"


def test_inviting_again_leaves_other_organizations_alone(
    invite, other_organization, bob, dora
):
    _, elsewhere = invite(actor=bob, organization=other_organization)
    invite()

    assert accept(elsewhere, dora).organization == other_organization


def test_a_member_is_not_invited(invite, carol):
    with pytest.raises(AlreadyMember):
        invite(email=carol.email.upper())


def test_who_became_a_member_meanwhile_keeps_the_role(invite, organization, dora):
    _, token = invite(role="owner")
    Membership.objects.create(organization=organization, user=dora, role="member")

    assert accept(token, dora).role == "member"
    assert not Event.objects.filter(kind=Event.Kind.MEMBER_JOINED).exists()
    assert refusal(token, dora) == "gone"


def test_joining_looks_across_the_second_wall(invite, dora):
    _, token = invite()

    with acting_for(user_id=dora.pk):
        assert accept(token, dora).user == dora


@pytest.mark.parametrize("token", ["", "x", "\0", "ü" * 1000])
def test_a_guess_finds_nothing(invite, dora, token):
    invite()

    assert refusal(token, dora) == "gone"


@pytest.mark.django_db(transaction=True)
def test_t09_of_two_who_join_at_once_one_joins(invite, dora):
    _, token = invite()
    start = threading.Barrier(2)

    def join(_):
        start.wait(10)
        try:
            return accept(token, dora).role
        except InvitationRefused as refused:
            return refused.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(join, range(2))) == ["gone", "member"]
    assert Membership.objects.filter(user=dora).count() == 1
