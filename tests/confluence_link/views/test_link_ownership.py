"""Whose account it is: linked by one user at a time, and never a way to be someone."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from accounts.models import Invitation, Membership, User
from confluence_link.models import (
    Grant,
    LinkedSite,
    SealedTokenSet,
    database_now,
)
from tests import factories, link_steps

NORTHWIND = link_steps.cloud_id("northwind")


def _rows():
    models = (Grant, SealedTokenSet, SocialAccount, LinkedSite)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_l28_the_account_of_another_user_is_refused_without_touching_it(
    carol_client, linked_site, organization, sandbox
):
    before = _rows()
    answer = link_steps.consented_to_cloud(
        carol_client, sandbox, organization=organization
    )
    assert link_steps.reason_of(answer) == "other_user"
    page = answer.content.decode()
    assert "Alice Adams" not in page
    assert "alice@" not in page
    assert _rows() == before


def test_l28_the_same_holds_from_another_organization(
    bob_client, linked_site, other_organization, sandbox
):
    before = _rows()
    answer = link_steps.consented_to_cloud(
        bob_client, sandbox, organization=other_organization
    )
    assert link_steps.reason_of(answer) == "other_user"
    assert _rows() == before


def test_l28_who_confirms_second_is_refused(
    alice_client, bob_client, cloud_app, organization, other_organization, sandbox
):
    alices = link_steps.consented_to_cloud(
        alice_client, sandbox, organization=organization
    )
    bobs = link_steps.consented_to_cloud(
        bob_client, sandbox, organization=other_organization
    )
    link_steps.confirm(alice_client, alices, sites=[NORTHWIND])
    before = _rows()
    answer = bob_client.post(bobs["Location"], {"sites": [NORTHWIND]})
    assert link_steps.reason_of(answer) == "other_user"
    assert _rows() == before


def _invitation(organization, email):
    now = database_now()
    return Invitation.objects.create(
        organization=organization,
        email=email,
        role=Membership.Role.ADMIN,
        token_hash="0" * 64,
        invited_by=organization.memberships.get(role=Membership.Role.OWNER).user,
        created_at=now,
        expires_at=now + timedelta(days=7),
    )


def test_l32_an_e_mail_address_that_a_profile_claims_decides_nothing(
    bob, bob_client, cloud_app, organization, other_organization, sandbox
):
    """The sandbox's Alice says that she is alice@example.com."""
    namesake = factories.make_user("Namesake", email="alice@example.com")
    invitation = _invitation(organization, namesake.email)
    addresses = list(EmailAddress.objects.values())
    people = User.objects.count()
    link_steps.linked(bob_client, sandbox, organization=other_organization)
    assert Grant.objects.get().user == bob
    assert list(EmailAddress.objects.values()) == addresses
    assert not SocialAccount.objects.filter(user=namesake).exists()
    assert not Membership.objects.filter(user=namesake).exists()
    assert not Membership.objects.filter(user=bob, organization=organization).exists()
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert User.objects.count() == people


@pytest.mark.parametrize("account_id", ["5BE24AD8B1653240376955D2", "712020:other"])
def test_l33_account_ids_are_compared_byte_by_byte(
    bob_client, linked_site, other_organization, sandbox, account_id
):
    body = json.dumps({"account_id": account_id, "name": "Other"})
    sandbox.cloud.faults.add("me", "custom", body=body)
    answer = link_steps.consented_to_cloud(
        bob_client, sandbox, organization=other_organization
    )
    link_steps.confirm(bob_client, answer, sites=[NORTHWIND])
    assert Grant.objects.count() == 2


def test_l33_the_ids_of_two_servers_are_name_spaces_of_their_own(
    bob_client, linked_site, data_center_app, other_organization, sandbox
):
    body = {"type": "known", "userKey": linked_site.grant.account_id, "username": "x"}
    sandbox.data_center.faults.add("api", "custom", body=json.dumps(body))
    started = link_steps.start(bob_client, "wiki", organization=other_organization)
    back = link_steps.consent_to_data_center(sandbox, started)
    came_back = link_steps.come_back(bob_client, back)
    link_steps.confirm(bob_client, came_back, sites=[sandbox.data_center.url])
    first, second = Grant.objects.order_by("pk")
    assert first.account_id == second.account_id
    assert first.user != second.user


def test_l34_a_renamed_user_keeps_the_grant_and_the_name_moves_no_link(
    alice_client,
    bob_client,
    data_center_app,
    organization,
    other_organization,
    sandbox,
):
    link_steps.linked(
        alice_client, sandbox, organization=organization, deployment="data_center"
    )
    dora, erik = sandbox.data_center.users
    dora.username, erik.username = "dora.dahl", "dora"
    again = link_steps.link_data_center(
        alice_client, sandbox, organization=organization, account="dora.dahl"
    )
    assert again[0].grant.account_id == dora.key
    assert Grant.objects.get().epoch == 2
    link_steps.link_data_center(
        bob_client, sandbox, organization=other_organization, account="dora"
    )
    assert Grant.objects.get(account_id=erik.key).user.first_name == "Bob"
