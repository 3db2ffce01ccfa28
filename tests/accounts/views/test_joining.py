"""Coming in by a mailed invitation: every way in, and every way out."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import invitations
from accounts.models import Invitation, Membership, Organization, User
from tests import factories
from tests.factories import PASSWORD

ACCEPT = "/invitations/accept/"


def opened(client, token):
    """The page behind the mailed address."""
    return client.get(f"/invitations/{token}/", follow=True)


@pytest.fixture
def dora_client(db):
    return factories.sign_in(Client(), factories.make_user("Dora"))


def test_the_mailed_address_gives_way_to_one_without_the_token(client, invite):
    _, token = invite()

    answer = client.get(f"/invitations/{token}/")

    assert (answer.status_code, answer.url) == (303, ACCEPT)
    assert "no-store" in answer["Cache-Control"]
    assert not any(token in str(each.get_decoded()) for each in Session.objects.all())


def test_the_page_says_who_invites_whom_into_what_as_what(client, invite):
    _, token = invite(role="admin")

    page = opened(client, token)

    text = page.content.decode()
    for word in ("Alice and Co", "alice@example.org", "Admin", "dora@example.org"):
        assert word in text
    assert token not in text
    assert f"{reverse('account_login')}?next={ACCEPT}" in text
    assert f"{reverse('account_signup')}?next={ACCEPT}" in text


@pytest.mark.parametrize("method", ["get", "head"])
def test_t09_programs_that_look_at_mails_use_nothing_up(client, invite, method):
    invitation, token = invite()

    for _ in range(3):
        scanner = Client()
        getattr(scanner, method)(f"/invitations/{token}/")
        getattr(scanner, method)(ACCEPT)

    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert opened(client, token).status_code == 200


def test_the_button_joins(dora_client, invite, organization):
    _, token = invite(role="admin")
    opened(dora_client, token)

    answer = dora_client.post(ACCEPT)

    assert answer.url == organization.get_absolute_url()
    assert Membership.objects.get(user__email="dora@example.org").role == "admin"
    assert dora_client.get("/").url == organization.get_absolute_url()


def test_a_stranger_joins_nothing_by_the_button(client, invite):
    _, token = invite()
    opened(client, token)

    assert client.post(ACCEPT).status_code == 200
    assert Invitation.objects.get().accepted_at is None


def test_t09_using_it_again_is_gone(dora_client, invite):
    _, token = invite()
    opened(dora_client, token)
    dora_client.post(ACCEPT)

    assert opened(dora_client, token).status_code == 410
    assert dora_client.post(ACCEPT).status_code == 410


@pytest.mark.parametrize("end", ["revoked", "expired", "replaced", "inviter gone"])
def test_t09_an_invitation_that_ended_is_gone(
    dora_client, invite, alice, organization, end
):
    invitation, token = invite()
    opened(dora_client, token)
    if end == "revoked":
        invitations.revoke(invitation=invitation, actor=alice, now=timezone.now())
    elif end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "replaced":
        invite()
    else:
        organization.memberships.filter(user=alice).delete()

    assert dora_client.get(ACCEPT).status_code == 410
    assert dora_client.post(ACCEPT).status_code == 410
    assert not Membership.objects.filter(user__email="dora@example.org").exists()


def test_t09_an_end_while_the_button_is_pressed_is_gone(dora_client, invite):
    _, token = invite()
    opened(dora_client, token)

    def end_before(execute, sql, params, many, context):
        if sql.startswith('UPDATE "accounts_invitation" SET "accepted_at"'):
            end = 'UPDATE "accounts_invitation" SET "revoked_at" = "created_at"'
            execute(end, [], False, context)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(end_before):
        assert dora_client.post(ACCEPT).status_code == 410
    assert not Membership.objects.filter(user__email="dora@example.org").exists()


def test_t09_another_verified_address_is_refused(bob_client, invite):
    _, token = invite()

    page = opened(bob_client, token)

    assert page.status_code == 403
    text = page.content.decode()
    assert "dora@example.org" in text
    assert "bob@example.org" in text
    assert bob_client.post(ACCEPT).status_code == 403
    assert Invitation.objects.get().accepted_at is None


def test_t09_an_unverified_address_is_refused(bob_client, bob, invite):
    _, token = invite()
    EmailAddress.objects.create(user=bob, email="dora@example.org", verified=False)

    page = opened(bob_client, token)

    assert page.status_code == 403
    assert reverse("account_email") in page.content.decode()
    assert bob_client.post(ACCEPT).status_code == 403


def test_t09_a_thousand_guesses_are_stopped(db):
    guesser = Client()

    answers = [guesser.get(f"/invitations/guess-{n}/") for n in range(1_000)]

    assert {each.status_code for each in answers} == {303, 429}
    assert sum(each.status_code == 303 for each in answers) <= 200


def test_a_guess_leads_to_a_page_that_tells_nothing(client, invite):
    invite()

    page = opened(client, "guess")

    assert page.status_code == 410
    assert "Alice" not in page.content.decode()


def test_the_page_without_an_invitation_is_gone(client, db):
    assert client.get(ACCEPT).status_code == 410


def test_t10_names_are_escaped_on_the_page(client, invite, organization, alice):
    Organization.objects.update(name="<script>{{7*7}}")
    alice.first_name = "<img src=x onerror=alert(1)>"
    alice.save()
    _, token = invite()

    text = opened(client, token).content.decode()

    assert "&lt;script&gt;{{7*7}}" in text
    assert "<img src=x" not in text


# Somebody without an account
# ------------------------------------------------------------------------------
def sign_up(client, email="dora@example.org"):
    form = {
        "email": email,
        "password1": PASSWORD,
        "password2": PASSWORD,
        "next": ACCEPT,
    }
    return client.post(reverse("account_signup"), form)


def confirm(client):
    (path,) = re.findall(
        r"https?://[^/\s]+(/accounts/confirm\S+)", mail.outbox[-1].body
    )
    return client.post(path)


def test_a_stranger_signs_up_confirms_and_comes_back_to_join(
    client, invite, organization
):
    _, token = invite()
    opened(client, token)

    sign_up(client)
    back = confirm(client)
    assert back.url == ACCEPT
    assert "Join" in client.get(ACCEPT).content.decode()
    client.post(ACCEPT)

    dora = User.objects.get(email="dora@example.org")
    assert [each.organization for each in dora.memberships.all()] == [organization]


def test_who_signs_up_by_an_invitation_gets_no_organization_of_their_own(
    client, invite
):
    _, token = invite()
    opened(client, token)

    sign_up(client, "Dora@Example.org")

    assert Organization.objects.count() == 1


@pytest.mark.parametrize("how", ["other address", "ended"])
def test_who_signs_up_and_cannot_join_gets_an_organization(client, invite, how):
    _, token = invite()
    opened(client, token)
    if how == "ended":
        Invitation.objects.update(revoked_at=timezone.now())

    sign_up(client, "eve@example.org" if how == "other address" else "dora@example.org")

    assert User.objects.get(first_name="", email__endswith=".org").memberships.count()


def test_who_has_an_account_signs_in_and_comes_back(client, invite):
    factories.make_user("Dora")
    _, token = invite()
    opened(client, token)
    form = {"login": "dora@example.org", "password": PASSWORD, "next": ACCEPT}

    answer = client.post(reverse("account_login"), form)

    assert answer.url == ACCEPT
    assert client.post(ACCEPT).status_code == 302


@pytest.mark.parametrize("name", ["account_signup", "account_login"])
def test_the_forms_know_the_invited_address(client, invite, name):
    _, token = invite()
    assert "dora@example.org" not in client.get(reverse(name)).content.decode()

    opened(client, token)

    assert 'value="dora@example.org"' in client.get(reverse(name)).content.decode()
