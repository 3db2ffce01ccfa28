"""The mail that carries an invitation."""

from __future__ import annotations

import logging

import pytest
from django.core import mail

from accounts import invitation_mails

HOSTILE = [
    "Alice\r\nBcc: eve@example.org\r\n\r\n<b>body</b>",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{7777*7777}}{% debug %}${7777*7777}",
    "long " * 2_000,
]


def sent(invite, **names):
    invitation, token = invite()
    for name, value in names.items():
        target = invitation.invited_by if name == "first_name" else None
        setattr(target or invitation.organization, name, value)
    assert invitation_mails.send(invitation, token)
    return mail.outbox[0]


def html_of(message):
    return message.alternatives[0].content


def test_the_mail_says_who_invites_whom_into_what(invite):
    message = sent(invite)

    assert message.subject == "Alice invites you to Alice and Co"
    assert message.to == ["dora@example.org"]
    for text in (message.body, html_of(message)):
        assert "alice@example.org" in text
        assert "as member" in text
        assert "dora@example.org" in text


def test_an_inviter_without_a_name_is_named_by_address(invite):
    message = sent(invite, first_name="")

    assert message.subject == "alice@example.org invites you to Alice and Co"
    assert "(alice@example.org)" not in message.body


@pytest.mark.parametrize("public_url", ["https://link.example"])
def test_the_address_is_that_of_the_public_url(invite, settings, public_url):
    settings.PUBLIC_URL = public_url
    invitation, token = invite()

    invitation_mails.send(invitation, token)

    address = f"{public_url}/invitations/{token}/"
    assert address in mail.outbox[0].body
    assert address in html_of(mail.outbox[0])


@pytest.mark.parametrize("field", ["name", "first_name"])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_t10_a_hostile_name_is_text_and_nothing_else(invite, field, hostile):
    message = sent(invite, **{field: hostile})

    head = message.message()
    assert set(head.keys()) == {
        "Content-Type",
        "MIME-Version",
        "Subject",
        "From",
        "To",
        "Date",
        "Message-ID",
    }
    assert message.recipients() == ["dora@example.org"]
    assert "\n" not in message.subject
    assert len(message.subject) <= 150
    for forbidden in ("<script", "<img", "<b>body", "60481729", "long " * 30):
        assert forbidden not in html_of(message)
    assert "60481729" not in message.body
    assert len(message.body) < 2_000


def test_a_mail_server_that_is_away_is_told_and_the_token_is_not(
    invite, settings, caplog
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    invitation, token = invite()

    assert not invitation_mails.send(invitation, token)

    (line,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "mail not sent" in line.getMessage()
    assert token not in caplog.text
