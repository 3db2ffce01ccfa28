"""Invitations to link: for one member, once, for four hours, revocable."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from accounts.models import Membership
from confluence_link import linking
from confluence_link.errors import LinkRefused
from confluence_link.models import Event, LinkInvitation, OAuthApp, database_now
from tests import factories


@pytest.fixture
def oauth_app(db):
    return factories.make_oauth_app(provider_id="cloud", name="Confluence Cloud")


@pytest.fixture
def invite(alice, carol, organization, oauth_app):
    """Alice asks Carol; the token that the mail would have."""

    def invite(**fields):
        given = {
            "organization": organization,
            "user": carol,
            "oauth_app": oauth_app,
            "actor": alice,
            "now": database_now(),
        }
        return linking.invite_to_link(**{**given, **fields})

    return invite


def find(token, user):
    return linking.find_invitation(
        token_hash=linking.digest(token), user=user, now=database_now()
    )


def use(token, user):
    return linking.use_invitation(
        token_hash=linking.digest(token), user=user, now=database_now()
    )


def reason(act, *args):
    with pytest.raises(LinkRefused) as refused:
        act(*args)
    return refused.value.reason


def test_only_the_hash_of_the_token_is_kept(invite):
    invitation, token = invite()
    assert len(token) >= 43
    invitation.refresh_from_db()
    assert invitation.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(invitation.__dict__)


def test_it_is_used_once(invite, carol):
    invitation, token = invite()
    assert find(token, carol) == invitation
    assert use(token, carol) == invitation
    assert reason(find, token, carol) == "invitation_gone"
    assert reason(use, token, carol) == "invitation_gone"


def test_it_ends_after_four_hours(invite, carol):
    _, token = invite()
    LinkInvitation.objects.update(expires_at=F("expires_at") - timedelta(hours=3.9))
    assert find(token, carol)
    LinkInvitation.objects.update(expires_at=F("expires_at") - timedelta(hours=0.2))
    assert reason(find, token, carol) == "invitation_gone"
    assert reason(use, token, carol) == "invitation_gone"


def test_it_can_be_revoked(invite, carol):
    invitation, token = invite()
    linking.revoke_invitation(invitation=invitation, now=database_now())
    assert reason(use, token, carol) == "invitation_gone"


def test_a_guess_finds_nothing(invite, carol):
    invite()
    assert reason(find, "guess", carol) == "invitation_gone"


def test_it_is_for_that_member_alone(invite, alice, carol):
    _, token = invite()
    assert reason(use, token, alice) == "invitation_other"
    assert use(token, carol)


def _end_of(what, organization, carol, alice):
    match what:
        case "membership":
            Membership.objects.filter(user=carol).delete()
        case "inviter's membership":
            Membership.objects.filter(user=alice).delete()
        case "inviter's right":
            Membership.objects.filter(user=alice).update(role="member")
        case "inviter":
            type(alice).objects.filter(pk=alice.pk).update(is_active=False)
        case "organization":
            type(organization).objects.update(is_active=False)
        case "app":
            OAuthApp.objects.update(enabled=False)


@pytest.mark.parametrize(
    "what",
    [
        "membership",
        "inviter's membership",
        "inviter's right",
        "inviter",
        "organization",
        "app",
    ],
)
def test_it_is_worth_nothing_once_nobody_could_send_it(
    invite, alice, carol, organization, what
):
    _, token = invite()
    _end_of(what, organization, carol, alice)
    assert reason(use, token, carol) == "invitation_gone"


def test_a_new_one_to_the_same_person_ends_the_older(invite, carol, oauth_app):
    other_app = factories.make_oauth_app(name="Another")
    _, first = invite()
    _, elsewhere = invite(oauth_app=other_app)
    _, second = invite()
    assert reason(use, first, carol) == "invitation_gone"
    assert use(elsewhere, carol)
    assert use(second, carol)


def test_nobody_else_than_a_member_is_asked(invite, bob):
    assert reason(lambda: invite(user=bob)) == "not_member"
    assert not LinkInvitation.objects.exists()


def test_asking_is_recorded_without_the_token(invite, alice, carol, organization):
    invite()
    event = Event.objects.get(kind=Event.Kind.LINK_INVITED)
    assert (event.organization, event.actor) == (organization, alice)
    assert event.facts == {"who": carol.email, "app": "Confluence Cloud"}


def test_open_ones_are_listed_for_their_organization(
    invite, organization, other_organization
):
    invitation, _ = invite()
    now = database_now()
    assert [*linking.waiting_invitations(organization, now)] == [invitation]
    assert not linking.waiting_invitations(other_organization, now)
    linking.revoke_invitation(invitation=invitation, now=now)
    assert not linking.waiting_invitations(organization, now)


def test_what_ended_long_ago_is_forgotten(invite):
    invite()
    LinkInvitation.objects.update(expires_at=F("expires_at") - timedelta(days=29))
    linking.purge()
    assert LinkInvitation.objects.exists()
    LinkInvitation.objects.update(expires_at=F("expires_at") - timedelta(days=2))
    linking.purge()
    assert not LinkInvitation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_ten_at_once_one_uses_it(invite, carol):
    _, token = invite()
    start, used = threading.Barrier(10), []

    def press():
        start.wait()
        try:
            used.append(use(token, carol).pk)
        except LinkRefused as refused:
            used.append(refused.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used.count("invitation_gone") == 9
