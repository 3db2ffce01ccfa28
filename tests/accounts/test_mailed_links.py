"""Mailed links that work once, of each kind that there is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone

from accounts import mailed_links
from accounts.models import Invitation, Membership
from confluence_link.models import LinkInvitation, ServerSetup

KINDS = [
    model
    for model in apps.get_models()
    if any(field.name == "token_hash" for field in model._meta.fields)
]


@pytest.fixture
def invitation(alice, organization):
    now = timezone.now()
    return Invitation.objects.create(
        organization=organization,
        email="dora@example.org",
        role=Membership.Role.MEMBER,
        token_hash=mailed_links.digest(mailed_links.new_token()),
        invited_by=alice,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )


def test_every_kind_knows_which_of_it_may_still_be_used():
    assert set(KINDS) == {Invitation, LinkInvitation, ServerSetup}
    for kind in KINDS:
        columns = {field.name for field in kind._meta.fields}

        assert isinstance(kind.objects.all(), mailed_links.MailedLinkQuerySet)
        assert {kind.objects.all().used_at, "revoked_at", "expires_at"} <= columns


def test_an_open_one_is_neither_used_revoked_nor_too_old(invitation):
    still_open = Invitation.objects.open

    assert still_open(timezone.now()).get() == invitation
    assert not still_open(invitation.expires_at).exists()
    for column in ("accepted_at", "revoked_at"):
        Invitation.objects.update(**{column: timezone.now()})
        assert not still_open(timezone.now()).exists()
        Invitation.objects.update(**{column: None})


@pytest.mark.parametrize("ended", ["accepted_at", "revoked_at", ""])
def test_one_is_forgotten_a_month_after_it_expired(invitation, ended):
    expired = invitation.expires_at
    if ended:
        Invitation.objects.update(**{ended: timezone.now()})

    Invitation.objects.forget_old(expired + timedelta(days=29))
    assert Invitation.objects.exists()

    Invitation.objects.forget_old(expired + timedelta(days=30))
    assert not Invitation.objects.exists()


def test_the_sender_is_none_who_could_not_send_it_any_more(
    alice, organization, invitation
):
    assert Membership.objects.of_sender(invitation).user == alice

    for owner in (alice, organization):
        owner.is_active = False
        owner.save()
        assert Membership.objects.of_sender(invitation) is None
        owner.is_active = True
        owner.save()

    Membership.objects.filter(user=alice).delete()
    assert Membership.objects.of_sender(invitation) is None


def test_tokens_differ_and_fit_into_an_address():
    tokens = {mailed_links.new_token() for _ in range(3)}

    assert len(tokens) == 3
    assert all(token.replace("_", "-").strip("-").isascii() for token in tokens)
    assert all(len(token) == 43 for token in tokens)
