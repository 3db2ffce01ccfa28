"""The admin's pages about organizations, invitations and keys."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Invitation, Membership, Organization, ServiceKey
from confluence_link.models import Event
from tests import factories


def page(model, name, *args):
    return reverse(f"admin:accounts_{model}_{name}", args=args)


def found(client, model, **query):
    return list(client.get(page(model, "changelist"), query).context["cl"].result_list)


def form_of(organization, **changes):
    """What the organization's page sends; `changes` are roles by first name."""
    rows = list(organization.memberships.order_by("pk"))
    data = {
        "name": organization.name,
        "is_active": "on",
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": len(rows),
    }
    for place, row in enumerate(rows):
        data |= {
            f"memberships-{place}-id": row.pk,
            f"memberships-{place}-organization": organization.pk,
            f"memberships-{place}-user": row.user_id,
            f"memberships-{place}-role": changes.get(row.user.first_name, row.role),
        }
        if changes.get(row.user.first_name) == "delete":
            data[f"memberships-{place}-role"] = row.role
            data[f"memberships-{place}-DELETE"] = "on"
    return data


def change(client, organization, data):
    return client.post(page("organization", "change", organization.pk), data)


def test_organizations_are_found_by_name_and_member(
    admin_client, organization, other_organization
):
    assert found(admin_client, "organization", q="Alice and") == [organization]
    assert found(admin_client, "organization", q="carol@") == [organization]


def test_an_organizations_members_are_counted_and_listed(admin_client, organization):
    (row,) = found(admin_client, "organization")

    text = admin_client.get(page("organization", "change", organization.pk)).content

    assert row.members == 2
    assert b"carol@example.org" in text


def test_members_are_edited_with_their_organization(admin_client, organization, carol):
    member = Membership.objects.get(user=carol)
    rows = list(organization.memberships.order_by("pk"))
    data = {
        "name": "New name",
        "memberships-TOTAL_FORMS": len(rows),
        "memberships-INITIAL_FORMS": len(rows),
    }
    for place, row in enumerate(rows):
        data |= {
            f"memberships-{place}-id": row.pk,
            f"memberships-{place}-organization": organization.pk,
            f"memberships-{place}-user": row.user_id,
            f"memberships-{place}-role": "admin" if row == member else row.role,
        }

    admin_client.post(page("organization", "change", organization.pk), data)

    member.refresh_from_db()
    organization.refresh_from_db()
    assert (organization.name, member.role) == ("New name", "admin")


def test_the_slug_stays(admin_client, organization):
    text = admin_client.get(page("organization", "change", organization.pk)).content

    assert b'name="slug"' not in text


@pytest.mark.parametrize("last_owner_becomes", ["admin", "member", "delete"])
def test_t08_no_organization_is_left_without_an_owner(
    admin_client, organization, last_owner_becomes
):
    answer = change(
        admin_client, organization, form_of(organization, Alice=last_owner_becomes)
    )

    assert answer.status_code == 200
    assert "An organization needs an owner." in answer.content.decode()
    assert Membership.objects.filter(organization=organization, role="owner").exists()


def test_an_owner_may_go_when_another_comes(admin_client, organization):
    data = form_of(organization, Alice="delete", Carol="owner")

    assert change(admin_client, organization, data).status_code == 302

    assert [each.role for each in organization.memberships.all()] == ["owner"]


def test_t08_what_changed_since_the_page_was_drawn_counts(admin_client, organization):
    eve = factories.make_user("Eve")
    Membership.objects.create(organization=organization, user=eve, role="owner")
    data = form_of(organization, Alice="member")
    # The page still shows Eve as owner, and does not touch her row.
    Membership.objects.filter(user=eve).update(role="member")
    data["memberships-2-role"] = "member"

    assert change(admin_client, organization, data).status_code == 200
    assert Membership.objects.filter(organization=organization, role="owner").exists()


def test_an_organization_is_not_added_without_an_owner(admin_client, carol):
    data = {
        "name": "New",
        "slug": "new",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
    }
    assert admin_client.post(page("organization", "add"), data).status_code == 200
    data |= {
        "memberships-TOTAL_FORMS": 1,
        "memberships-0-user": carol.pk,
        "memberships-0-role": "owner",
    }
    assert admin_client.post(page("organization", "add"), data).status_code == 302

    assert Organization.objects.get().memberships.get().user == carol


def test_a_membership_passes_to_nobody_else(admin_client, organization, bob, carol):
    data = form_of(organization)
    data["memberships-1-user"] = bob.pk

    change(admin_client, organization, data)

    assert set(organization.memberships.values_list("user", flat=True)) == {
        carol.pk,
        organization.memberships.get(role="owner").user_id,
    }


def test_what_operators_change_is_recorded(admin_client, organization, bob):
    data = form_of(organization, Carol="admin") | {
        "name": "New name",
        "memberships-TOTAL_FORMS": 3,
        "memberships-2-organization": organization.pk,
        "memberships-2-user": bob.pk,
        "memberships-2-role": "member",
    }

    change(admin_client, organization, data)

    told = {
        each.kind: each.facts
        for each in Event.objects.filter(
            organization=organization, actor__email="ada@example.org"
        )
    }
    assert told == {
        "organization.changed": {"name": "New name", "was": "Alice and Co"},
        "member.role_changed": {
            "who": "carol@example.org",
            "role": "admin",
            "was": "member",
        },
        "member.joined": {"who": "bob@example.org", "role": "member"},
    }


def test_an_organization_is_switched_off(admin_client, organization):
    data = form_of(organization)
    del data["is_active"]

    change(admin_client, organization, data)

    organization.refresh_from_db()
    assert not organization.is_active


def test_invitations_are_looked_at_and_show_no_hash(admin_client, invite):
    invitation, _ = invite()

    text = admin_client.get(page("invitation", "change", invitation.pk)).content

    assert b"dora@example.org" in text
    assert invitation.token_hash.encode() not in text
    assert admin_client.get(page("invitation", "add")).status_code == 403
    assert found(admin_client, "invitation", q="dora@") == [invitation]


@pytest.mark.parametrize("state", ["open", "accepted", "revoked", "expired"])
def test_the_state_of_an_invitation_is_one_word(admin_client, invite, state):
    invite()
    if state != "open":
        field = "expires_at" if state == "expired" else f"{state}_at"
        Invitation.objects.update(**{field: timezone.now()})

    text = admin_client.get(page("invitation", "changelist")).content.decode()

    assert f'field-state">{state}<' in text


def test_keys_are_looked_at_and_show_no_hash(admin_client, organization, alice):
    key = ServiceKey.objects.create(
        organization=organization,
        name="Wiki bot",
        prefix="cl_abcdefgh",
        key_hash="f" * 64,
        created_by=alice,
        created_at=timezone.now(),
    )

    text = admin_client.get(page("servicekey", "change", key.pk)).content

    assert b"cl_abcdefgh" in text
    assert b"f" * 64 not in text
    assert admin_client.post(page("servicekey", "delete", key.pk)).status_code == 403
    assert found(admin_client, "servicekey", q="Wiki") == [key]


@pytest.mark.parametrize("hidden", ["token_hash__startswith", "invited_by__password"])
def test_a_hash_is_not_guessed_letter_by_letter(admin_client, invite, hidden):
    invite()

    answer = admin_client.get(page("invitation", "changelist"), {hidden: "a"})

    assert answer.status_code in {302, 400}
