"""Who is in an organization, and changes of roles on its pages."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Invitation, Membership, Organization, User
from accounts.rights import Right
from tests import factories


def url(organization, name="members", *args):
    return reverse(f"accounts:{name}", args=[organization.slug, *args])


def of(organization, user):
    return organization.memberships.get(user=user)


def page_of(organization, user, name="member"):
    return url(organization, name, of(organization, user).public_id)


def text_of(client, address):
    return client.get(address).content.decode()


@pytest.fixture
def dora(organization):
    """An admin."""
    user = factories.make_user("Dora")
    Membership.objects.create(organization=organization, user=user, role="admin")
    return user


@pytest.fixture
def dora_client(dora):
    return factories.sign_in(Client(), dora)


# The list
# ------------------------------------------------------------------------------
def test_members_are_listed_for_every_member(carol_client, organization):
    text = text_of(carol_client, url(organization))

    for word in ("alice@example.org", "carol@example.org", "Owner", "Member"):
        assert word in text


def test_everyone_reads_the_table_of_rights(carol_client, organization):
    text = text_of(carol_client, url(organization))

    for right in Right:
        assert right.label in text
    assert text.count(">yes<") + text.count(">no<") == 3 * len(Right)


def test_invitations_are_for_those_who_invite(
    alice_client, carol_client, organization, invite
):
    invite()

    assert "dora@example.org" in text_of(alice_client, url(organization))
    assert "dora@example.org" not in text_of(carol_client, url(organization))
    assert 'name="email"' not in text_of(carol_client, url(organization))


def test_an_expired_invitation_says_so(alice_client, organization, invite):
    invite()
    Invitation.objects.update(expires_at=timezone.now())

    assert "expired on" in text_of(alice_client, url(organization))


def test_an_accepted_invitation_waits_no_more(alice_client, organization, invite):
    invite()
    Invitation.objects.update(accepted_at=timezone.now())

    assert "dora@example.org" not in text_of(alice_client, url(organization))


def test_no_member_of_another_organization_is_listed(
    alice_client, organization, other_organization
):
    assert "bob@example.org" not in text_of(alice_client, url(organization))


def test_t04_no_number_of_a_row_is_in_an_address(alice_client, organization, carol):
    text = text_of(alice_client, url(organization))

    assert of(organization, carol).public_id in text
    addresses = re.findall(r'(?:href|action)="([^"]+)"', text)
    assert not any(re.search(r"/\d+/", each) for each in addresses)


def queries(client, address):
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_r07_more_members_and_invitations_cost_no_more_queries(
    alice_client, organization, alice, invite
):
    invite(email="first@example.org")
    few = queries(alice_client, url(organization))
    people = User.objects.bulk_create(
        [User(email=f"p{number}@example.org") for number in range(120)]
    )
    Membership.objects.bulk_create(
        [Membership(organization=organization, user=each) for each in people]
    )
    for number in range(60):
        invite(email=f"i{number}@example.org")

    assert queries(alice_client, url(organization)) == few


def test_lists_are_turned_page_by_page(alice_client, organization, invite):
    people = User.objects.bulk_create(
        [User(email=f"p{number:03}@example.org") for number in range(60)]
    )
    Membership.objects.bulk_create(
        [Membership(organization=organization, user=each) for each in people]
    )
    for number in range(51):
        invite(email=f"i{number:03}@example.org")

    first = text_of(alice_client, url(organization))
    assert "p059@example.org" not in first
    assert "i000@example.org" not in first
    assert "62 people" in first
    assert f'href="{url(organization)}?page=2"' in first
    assert f'href="{url(organization)}?invitations_page=2"' in first
    assert "p059@example.org" in text_of(alice_client, url(organization) + "?page=2")
    more = text_of(alice_client, url(organization) + "?invitations_page=2")
    assert "i000@example.org" in more


def test_t10_a_hostile_name_is_escaped_everywhere(alice_client, organization, carol):
    Organization.objects.update(name="<b>{{7*7}}")
    carol.first_name = "<img src=x onerror=alert(1)>"
    carol.save()
    addresses = [
        url(organization),
        page_of(organization, carol),
        page_of(organization, carol, "hand_over"),
        url(organization, "organization_settings"),
        url(organization, "invite"),
    ]

    for address in addresses:
        text = text_of(alice_client, address)
        assert "<img src=x" not in text
        assert "<b>" not in text
        assert "&lt;b&gt;{{7*7}}" in text


# One member
# ------------------------------------------------------------------------------
def test_a_member_sees_others_and_changes_nothing(carol_client, organization, alice):
    text = text_of(carol_client, page_of(organization, alice))

    assert "alice@example.org" in text
    assert "<select" not in text
    assert "Hand over" not in text
    assert reverse("confluence_link:leave", args=[organization.slug]) not in text


def test_ones_own_page_leads_out(carol_client, organization, carol):
    text = text_of(carol_client, page_of(organization, carol))

    assert reverse("confluence_link:leave", args=[organization.slug]) in text


def test_an_admin_changes_members_and_admins_not_owners(
    dora_client, organization, alice, carol
):
    assert "<select" in text_of(dora_client, page_of(organization, carol))
    assert "<select" not in text_of(dora_client, page_of(organization, alice))


def test_an_owner_changes_a_role(alice_client, organization, carol):
    page = alice_client.post(
        page_of(organization, carol), {"role": "admin"}, follow=True
    )

    assert of(organization, carol).role == "admin"
    assert "carol@example.org has the role admin now." in page.content.decode()


@pytest.mark.parametrize("role", ["", "king", "OWNER"])
def test_no_such_role_changes_nothing(alice_client, organization, carol, role):
    answer = alice_client.post(page_of(organization, carol), {"role": role})

    assert answer.status_code == 200
    assert of(organization, carol).role == "member"


@pytest.mark.parametrize(
    ("whom", "role"), [("carol", "owner"), ("alice", "member"), ("alice", "owner")]
)
def test_only_owners_make_and_unmake_owners(
    dora_client, organization, request, whom, role
):
    target = request.getfixturevalue(whom)
    before = of(organization, target).role

    answer = dora_client.post(page_of(organization, target), {"role": role})

    assert answer.status_code == 403
    assert of(organization, target).role == before


def test_a_member_changes_no_role(carol_client, organization, carol):
    answer = carol_client.post(page_of(organization, carol), {"role": "owner"})

    assert answer.status_code == 403
    assert of(organization, carol).role == "member"


def test_t06_an_owner_who_was_demoted_meanwhile_owns_nothing_at_the_next_click(
    alice_client, organization, alice, carol
):
    hand_over = page_of(organization, carol, "hand_over")
    settings = url(organization, "organization_settings")
    assert alice_client.get(settings).status_code == 200
    Membership.objects.create(
        organization=organization, user=factories.make_user("Eve"), role="owner"
    )
    roles.change_role(
        membership=of(organization, alice),
        role="member",
        actor=User.objects.get(first_name="Eve"),
    )

    assert alice_client.post(settings, {"name": "Mine"}).status_code == 403
    assert alice_client.post(hand_over).status_code == 403
    assert alice_client.get(settings).status_code == 403
    carols = page_of(organization, carol)
    assert alice_client.post(carols, {"role": "owner"}).status_code == 403


def test_t08_the_last_owner_does_not_step_down(alice_client, organization, alice):
    page = alice_client.post(
        page_of(organization, alice), {"role": "member"}, follow=True
    )

    assert "An organization needs an owner." in page.content.decode()
    assert of(organization, alice).role == "owner"


def test_another_organizations_member_is_not_found(
    bob_client, organization, other_organization, carol
):
    public_id = of(organization, carol).public_id

    for name in ("member", "hand_over"):
        foreign = url(other_organization, name, public_id)
        assert bob_client.get(foreign).status_code == 404
        assert bob_client.post(foreign, {"role": "admin"}).status_code == 404


# Owners, and a recent sign-in
# ------------------------------------------------------------------------------
@pytest.fixture
def tired_client(alice, organization):
    """Alice, signed in an hour ago."""
    return factories.sign_in(Client(), alice, seconds_ago=3_600)


def test_making_an_owner_wants_a_recent_sign_in(tired_client, organization, carol):
    answer = tired_client.post(page_of(organization, carol), {"role": "owner"})

    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert of(organization, carol).role == "member"


def test_making_an_admin_does_not(tired_client, organization, carol):
    tired_client.post(page_of(organization, carol), {"role": "admin"})

    assert of(organization, carol).role == "admin"


def test_handing_over_asks_then_changes_both(alice_client, organization, alice, carol):
    address = page_of(organization, carol, "hand_over")
    assert "carol@example.org" in text_of(alice_client, address)
    assert of(organization, carol).role == "member"

    alice_client.post(address)

    assert of(organization, carol).role == "owner"
    assert of(organization, alice).role == "admin"


@pytest.mark.parametrize("method", ["get", "post"])
def test_handing_over_wants_a_recent_sign_in(tired_client, organization, carol, method):
    answer = getattr(tired_client, method)(page_of(organization, carol, "hand_over"))

    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert of(organization, carol).role == "member"


def test_what_was_asked_goes_on_after_the_sign_in_is_confirmed(
    tired_client, organization, carol
):
    asked = tired_client.post(page_of(organization, carol, "hand_over"))
    tired_client.post(asked.url, {"password": factories.PASSWORD})

    assert of(organization, carol).role == "owner"


def test_nobody_hands_over_to_themselves(alice_client, organization, alice):
    assert (
        alice_client.get(page_of(organization, alice, "hand_over")).status_code == 404
    )


def test_only_owners_hand_over(dora_client, carol_client, organization, dora):
    address = page_of(organization, dora, "hand_over")

    assert dora_client.get(address).status_code == 403
    assert carol_client.post(address).status_code == 403
