"""The admin's pages about people."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests import factories


def page(model, name, *args):
    return reverse(f"admin:accounts_{model}_{name}", args=args)


def found(client, model, **query):
    return list(client.get(page(model, "changelist"), query).context["cl"].result_list)


def test_people_are_found_by_address_and_organization(
    admin_client, alice, bob, organization, other_organization
):
    by_filter = {"memberships__organization__id__exact": other_organization.pk}

    assert found(admin_client, "user", q="alice@") == [alice]
    assert found(admin_client, "user", q="Bob and Co") == [bob]
    assert found(admin_client, "user", **by_filter) == [bob]


@pytest.mark.parametrize("picked", ["x", "\0", "9" * 30, "-1", ""])
def test_what_can_be_no_row_is_a_bad_request(admin_client, alice, picked):
    action = {"action": "delete_selected", "_selected_action": [alice.pk, picked]}

    assert admin_client.post(page("user", "changelist"), action).status_code == 400


def test_nobody_is_added_by_hand(admin_client):
    assert admin_client.get(page("user", "add")).status_code == 403


def test_there_is_no_password_page(admin_client, alice):
    text = admin_client.get(page("user", "change", alice.pk)).content.decode()

    assert 'name="password' not in text
    assert "md5$" not in text
    url = f"/admin/accounts/user/{alice.pk}/password/"
    # Django's way to say that there is no such page.
    assert admin_client.get(url, follow=True).redirect_chain[-1][0] == "/admin/"


def test_an_address_is_not_edited(admin_client, alice):
    data = {"email": "evil@example.org", "first_name": "Alicia", "is_active": "on"}

    admin_client.post(page("user", "change", alice.pk), data)

    alice.refresh_from_db()
    assert (alice.first_name, alice.email) == ("Alicia", "alice@example.org")


def test_staff_cannot_raise_themselves(db):
    user = factories.make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="change_user"))
    client = factories.sign_in(Client(), user)
    data = {"first_name": "New", "is_active": "on", "is_superuser": "on"}

    client.post(page("user", "change", user.pk), data)

    user.refresh_from_db()
    assert (user.first_name, user.is_superuser) == ("New", False)


@pytest.fixture
def second_factor(alice):
    return Authenticator.objects.create(
        user=alice, type=Authenticator.Type.TOTP, data={"secret": "CNRY"}
    )


def test_a_second_factor_shows_that_it_is_there_not_what(admin_client, second_factor):
    url = reverse("admin:mfa_authenticator_change", args=[second_factor.pk])

    text = admin_client.get(url).content.decode()

    assert "alice@example.org" in text
    assert "CNRY" not in text


def test_a_lost_second_factor_can_be_removed_and_is_not_edited(
    admin_client, second_factor
):
    args = [second_factor.pk]
    change = reverse("admin:mfa_authenticator_change", args=args)
    delete = reverse("admin:mfa_authenticator_delete", args=args)

    assert admin_client.post(change, {"type": "webauthn"}).status_code == 403
    assert admin_client.post(delete, {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


def test_the_sign_in_is_allauths(db):
    answer = Client().get(reverse("admin:login"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
