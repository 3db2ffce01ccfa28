"""Asking people in, from the pages of an organization."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import invitations
from accounts.mailed_links import digest
from accounts.models import Invitation, Membership
from tests import factories


def url(organization, name="invite", *args):
    return reverse(f"accounts:{name}", args=[organization.slug, *args])


def send(client, organization, email="dora@example.org", role="member", **extra):
    form = {"email": email, "role": role}
    return client.post(url(organization), form, follow=True, **extra)


def mailed_token(message):
    return re.findall(r"/invitations/([\w-]+)/", message.body)[0]


@pytest.fixture
def dora_client(organization):
    """An admin."""
    dora = factories.make_user("Dora")
    Membership.objects.create(organization=organization, user=dora, role="admin")
    return factories.sign_in(Client(), dora)


def test_an_invitation_is_mailed_and_listed(alice_client, organization):
    page = send(alice_client, organization)

    (message,) = mail.outbox
    assert message.to == ["dora@example.org"]
    found = Invitation.objects.get()
    assert found.token_hash == digest(mailed_token(message))
    assert "dora@example.org is invited." in page.content.decode()
    assert url(organization, "revoke_invitation", found.public_id) in str(page.content)


def test_the_token_is_on_no_page_and_in_no_log(alice_client, organization, caplog):
    page = send(alice_client, organization)

    token = mailed_token(mail.outbox[0])
    assert token not in page.content.decode()
    assert token not in caplog.text


def test_a_member_invites_nobody(carol_client, organization):
    assert carol_client.get(url(organization)).status_code == 403
    assert send(carol_client, organization).status_code == 403
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_t09_a_role_above_the_inviters_is_refused(dora_client, organization):
    page = dora_client.get(url(organization)).content.decode()
    assert 'value="admin"' in page
    assert 'value="owner"' not in page

    answer = send(dora_client, organization, "x@example.org", role="owner")

    assert answer.status_code == 403
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "x"},
        {"email": ""},
        {"role": "king"},
        {"email": "a@b.de\r\nBcc: c@d.de"},
    ],
)
def test_what_is_no_invitation_is_said_beside_the_field(
    alice_client, organization, fields
):
    page = send(alice_client, organization, **fields)

    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Invitation.objects.exists()


def test_a_member_is_not_invited_and_the_page_says_so(alice_client, organization):
    page = send(alice_client, organization, "CAROL@example.org")

    assert "is a member already" in page.content.decode()
    assert not mail.outbox


def test_sending_again_makes_a_new_token(alice_client, organization):
    send(alice_client, organization, role="admin")
    old = Invitation.objects.get()

    again = url(organization, "send_invitation_again", old.public_id)
    alice_client.post(again)

    tokens = [mailed_token(each) for each in mail.outbox]
    assert len(set(tokens)) == 2
    (waiting,) = invitations.waiting(organization)
    assert waiting.token_hash == digest(tokens[1])
    assert waiting.role == "admin"


def test_a_mail_server_that_is_away_keeps_the_invitation(
    alice_client, organization, settings
):
    working = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    page = send(alice_client, organization).content.decode()

    (waiting,) = invitations.waiting(organization)
    assert "could not be sent" in page
    assert "Send again" in page
    settings.EMAIL_BACKEND = working
    alice_client.post(url(organization, "send_invitation_again", waiting.public_id))
    assert mailed_token(mail.outbox[0])


def test_who_joined_meanwhile_is_not_mailed_again(alice_client, organization, bob):
    send(alice_client, organization, bob.email)
    old = Invitation.objects.get()
    Membership.objects.create(organization=organization, user=bob)

    again = url(organization, "send_invitation_again", old.public_id)
    page = alice_client.post(again, follow=True)

    assert "is a member already" in page.content.decode()
    assert len(mail.outbox) == 1


def test_an_invitation_is_revoked(alice_client, organization):
    send(alice_client, organization)
    revoke = url(organization, "revoke_invitation", Invitation.objects.get().public_id)

    assert alice_client.get(revoke).status_code == 405
    alice_client.post(revoke)

    assert not invitations.waiting(organization).exists()
    assert alice_client.post(revoke).status_code == 404


def test_an_admin_does_nothing_about_an_invitation_of_an_owner(
    dora_client, alice_client, organization
):
    send(alice_client, organization, "x@example.org", role="owner")
    public_id = Invitation.objects.get().public_id

    members = dora_client.get(url(organization, "members")).content.decode()
    assert url(organization, "revoke_invitation", public_id) not in members
    for name in ("revoke_invitation", "send_invitation_again"):
        assert dora_client.post(url(organization, name, public_id)).status_code == 403


def test_another_organizations_invitation_is_not_found(
    bob_client, alice_client, organization, other_organization
):
    send(alice_client, organization)
    public_id = Invitation.objects.get().public_id

    for name in ("revoke_invitation", "send_invitation_again"):
        foreign = url(other_organization, name, public_id)
        assert bob_client.post(foreign).status_code == 404


def test_r03_one_address_is_mailed_a_few_times_only(alice_client, organization):
    answers = [send(alice_client, organization).status_code for _ in range(7)]

    assert answers == [200] * 5 + [429] * 2
    assert len(mail.outbox) == 5


def test_t11_only_the_address_says_for_which_organization(
    alice_client, organization, other_organization
):
    alice_client.cookies["organization"] = other_organization.slug
    form = {
        "email": "dora@example.org",
        "role": "member",
        "organization": str(other_organization.pk),
        "slug": other_organization.slug,
    }

    alice_client.post(
        url(organization),
        form,
        query_params={"organization": other_organization.slug},
        headers={"X-Organization": other_organization.slug},
    )

    assert Invitation.objects.get().organization == organization


def test_t11_a_session_that_names_another_organization_opens_nothing(
    alice_client, organization, other_organization
):
    session = alice_client.session
    session["organization"] = other_organization.pk
    session.save()

    assert alice_client.get("/").url == organization.get_absolute_url()
    assert send(alice_client, other_organization).status_code == 404
