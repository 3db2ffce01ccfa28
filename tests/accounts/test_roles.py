"""Who gives and takes roles; and that an owner always stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from accounts import owners, roles
from accounts.models import Invitation, Membership
from confluence_link.models import Event
from tests import factories


def membership(organization, user):
    return Membership.objects.get(organization=organization, user=user)


def roles_of(organization):
    return {each.user.first_name: each.role for each in organization.memberships.all()}


@pytest.fixture
def dora(organization):
    user = factories.make_user("Dora")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


def test_an_owner_gives_every_role(organization, alice, carol):
    target = membership(organization, carol)

    for role in ("owner", "admin", "member"):
        roles.change_role(membership=target, role=role, actor=alice)
        assert membership(organization, carol).role == role


def test_an_admin_gives_and_takes_all_roles_but_the_owners(organization, dora, carol):
    target = membership(organization, carol)

    roles.change_role(membership=target, role="admin", actor=dora)
    roles.change_role(membership=target, role="member", actor=dora)

    with pytest.raises(PermissionDenied):
        roles.change_role(membership=target, role="owner", actor=dora)


def test_an_admin_takes_no_owner_down(organization, alice, dora):
    with pytest.raises(PermissionDenied):
        roles.change_role(
            membership=membership(organization, alice), role="member", actor=dora
        )


def test_a_member_gives_nothing(organization, carol, dora):
    with pytest.raises(PermissionDenied):
        roles.change_role(
            membership=membership(organization, dora), role="member", actor=carol
        )


def test_an_owner_of_another_organization_gives_nothing(
    organization, other_organization, bob, carol
):
    with pytest.raises(PermissionDenied):
        roles.change_role(
            membership=membership(organization, carol), role="admin", actor=bob
        )


def test_t08_the_last_owner_stays_owner(organization, alice):
    with pytest.raises(owners.NoOwnerLeft):
        roles.change_role(
            membership=membership(organization, alice), role="admin", actor=alice
        )

    assert roles_of(organization)["Alice"] == "owner"


def test_a_change_is_recorded_with_who_and_what(organization, alice, carol):
    roles.change_role(
        membership=membership(organization, carol), role="admin", actor=alice
    )

    event = Event.objects.get(kind=Event.Kind.ROLE_CHANGED)
    assert (event.organization, event.actor) == (organization, alice)
    assert event.facts == {"who": carol.email, "role": "admin", "was": "member"}


def test_no_change_is_no_event(organization, alice, carol):
    roles.change_role(
        membership=membership(organization, carol), role="member", actor=alice
    )

    assert not Event.objects.filter(kind=Event.Kind.ROLE_CHANGED).exists()


def test_handing_over_changes_both(organization, alice, carol):
    roles.hand_over(membership=membership(organization, carol), actor=alice)

    assert roles_of(organization) == {"Alice": "admin", "Carol": "owner"}
    assert Event.objects.filter(kind=Event.Kind.ROLE_CHANGED).count() == 2


def test_only_an_owner_hands_over(organization, dora, carol):
    with pytest.raises(PermissionDenied):
        roles.hand_over(membership=membership(organization, carol), actor=dora)


def test_nobody_hands_over_to_themselves(organization, alice):
    with pytest.raises(PermissionDenied):
        roles.hand_over(membership=membership(organization, alice), actor=alice)


def test_nothing_is_handed_to_somebody_who_may_not_sign_in(organization, alice, carol):
    carol.is_active = False
    carol.save()

    with pytest.raises(PermissionDenied):
        roles.hand_over(membership=membership(organization, carol), actor=alice)


def test_who_is_gone_gets_no_role(organization, alice, carol):
    target = membership(organization, carol)
    Membership.objects.filter(pk=target.pk).delete()

    with pytest.raises(PermissionDenied):
        roles.change_role(membership=target, role="admin", actor=alice)


def test_who_may_invite_no_more_takes_open_invitations_along(
    organization, alice, dora, invite
):
    invite(actor=dora, email="a@example.org")
    invite(actor=alice, email="b@example.org")

    roles.change_role(
        membership=membership(organization, dora), role="member", actor=alice
    )

    waiting = Invitation.objects.filter(revoked_at=None)
    assert [each.email for each in waiting] == ["b@example.org"]


def test_an_owner_who_becomes_admin_takes_invitations_of_owners_along(
    organization, alice, carol, invite
):
    invite(email="a@example.org", role="owner")
    invite(email="b@example.org", role="admin")

    roles.hand_over(membership=membership(organization, carol), actor=alice)

    waiting = Invitation.objects.filter(revoked_at=None)
    assert [each.email for each in waiting] == ["b@example.org"]


# At the same moment
# ------------------------------------------------------------------------------
def _outcome(act):
    """In a thread with a connection of its own: what refused it, or None."""
    try:
        act()
    except (PermissionDenied, owners.NoOwnerLeft) as refusal:
        return type(refusal)
    finally:
        connection.close()
    return None


@pytest.mark.django_db(transaction=True)
def test_t08_of_two_owners_who_demote_each_other_at_once_one_fails(alice, bob):
    for number in range(10):
        shared = factories.make_organization(f"Shared {number}", owner=alice)
        Membership.objects.create(organization=shared, user=bob, role="owner")
        start = threading.Barrier(2)

        def demote(whom, actor, shared=shared, start=start):
            target = membership(shared, whom)
            start.wait(10)
            roles.change_role(membership=target, role="member", actor=actor)

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(
                pool.map(
                    lambda pair, demote=demote: _outcome(lambda: demote(*pair)),
                    [(alice, bob), (bob, alice)],
                )
            )

        assert sorted(map(str, outcomes)) == sorted(map(str, [None, PermissionDenied]))
        assert sorted(roles_of(shared).values()) == ["member", "owner"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["demotes", "steps down"])
def test_t08_who_waits_for_a_change_acts_with_the_role_after_it(alice, bob, other):
    shared = factories.make_organization("Shared", owner=alice)
    Membership.objects.create(organization=shared, user=bob, role="owner")
    arrived = threading.Event()
    whom = alice if other == "demotes" else bob

    def signal(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE" in sql:
            arrived.set()
        return execute(sql, params, many, context)

    def work():
        with connection.execute_wrapper(signal):
            return _outcome(
                lambda: roles.change_role(
                    membership=membership(shared, whom), role="member", actor=bob
                )
            )

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            if other == "demotes":
                target = membership(shared, bob)
            else:
                target = membership(shared, alice)
            roles.change_role(membership=target, role="member", actor=alice)
            worker = pool.submit(work)
            # SQLite keeps it waiting before that, at the beginning of its transaction.
            arrived.wait(0.5)
        refusal = worker.result(timeout=30)

    expected = PermissionDenied if other == "demotes" else owners.NoOwnerLeft
    assert refusal is expected
    assert "owner" in roles_of(shared).values()
