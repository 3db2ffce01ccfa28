"""Second factors through allauth's own pages: nothing of them is stored in clear."""

from __future__ import annotations

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from confluence_link.errors import VaultError
from tests import factories

# As a person without a camera types it into an app.
SHOWN_SECRET = re.compile(r"\b[A-Z2-7]{32}\b")
SHOWN_RECOVERY_CODE = re.compile(r"\b[0-9]{8}\b")
WRONG_CODE = "not a code"


@pytest.fixture(autouse=True)
def _a_code_may_be_a_moment_old(settings):
    settings.MFA_TOTP_TOLERANCE = 1


@pytest.fixture
def alice_client(alice_client):
    """Alice has just confirmed who she is, as these pages demand."""
    password = {"password": factories.PASSWORD}
    alice_client.post(reverse("account_reauthenticate"), password)
    return alice_client


def shown_secret(client):
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    return SHOWN_SECRET.search(page).group()


def code_of(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def send_code(client, code):
    return client.post(reverse("mfa_activate_totp"), {"code": code})


def stored_in_sessions():
    return json.dumps([row.get_decoded() for row in Session.objects.all()])


def stored(kind):
    return Authenticator.objects.get(type=kind).data


@pytest.fixture
def secret(alice_client):
    """Of the authenticator that Alice has activated."""
    shown = shown_secret(alice_client)
    assert send_code(alice_client, code_of(shown)).status_code == 302
    return shown


@pytest.fixture
def half_signed_in(alice, secret):
    """A browser that gave Alice's password and is asked for her code."""
    client = Client()
    credentials = {"login": alice.email, "password": factories.PASSWORD}
    answer = client.post(reverse("account_login"), credentials)
    assert answer.headers["Location"] == reverse("mfa_authenticate")
    return client


def enter(client, code):
    client.post(reverse("mfa_authenticate"), {"code": code})
    return "_auth_user_id" in client.session


def test_an_offered_secret_lies_sealed_in_the_session(alice_client):
    offered = shown_secret(alice_client)

    sealed = alice_client.session["mfa.totp.secret"]
    assert offered not in stored_in_sessions()
    assert len(sealed) > len(offered)


def test_a_wrong_code_keeps_the_offered_secret_sealed_and_the_same(alice_client):
    offered = shown_secret(alice_client)

    page = send_code(alice_client, WRONG_CODE)

    assert SHOWN_SECRET.search(page.content.decode()).group() == offered
    assert offered not in stored_in_sessions()
    assert send_code(alice_client, code_of(offered)).status_code == 302


def test_a_code_without_an_offered_secret_is_offered_a_sealed_one(alice_client):
    page = send_code(alice_client, WRONG_CODE)

    offered = SHOWN_SECRET.search(page.content.decode()).group()
    assert offered not in stored_in_sessions()


def test_each_visit_offers_another_secret(alice_client):
    assert shown_secret(alice_client) != shown_secret(alice_client)


def test_activating_leaves_nothing_in_the_session(alice_client, secret):
    assert "mfa.totp.secret" not in alice_client.session
    assert secret not in stored_in_sessions()


def test_an_active_secret_is_stored_sealed(secret):
    data = stored(Authenticator.Type.TOTP)

    assert list(data) == ["secret"]
    assert secret not in json.dumps(data)


def test_the_code_of_a_sealed_secret_signs_in(half_signed_in, secret):
    assert enter(half_signed_in, code_of(secret))


def test_a_wrong_code_does_not_sign_in(half_signed_in):
    assert not enter(half_signed_in, "000000 ")


def test_a_secret_in_plain_text_is_not_accepted(half_signed_in, secret):
    Authenticator.objects.filter(type="totp").update(data={"secret": secret})

    with pytest.raises(VaultError, match="damaged"):
        enter(half_signed_in, code_of(secret))


def test_recovery_codes_are_stored_as_a_sealed_seed(alice_client, secret):
    page = alice_client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = SHOWN_RECOVERY_CODE.findall(page)
    data = stored(Authenticator.Type.RECOVERY_CODES)

    assert len(set(codes)) == 10
    # A seed in clear would be 80 hexadecimal digits.
    assert not re.fullmatch(r"[0-9a-f]+", data["seed"])
    assert not any(code in json.dumps(data) for code in codes)


def test_a_recovery_code_of_a_sealed_seed_signs_in_once(
    alice_client, half_signed_in, alice
):
    page = alice_client.get(reverse("mfa_view_recovery_codes")).content.decode()
    code = SHOWN_RECOVERY_CODE.findall(page)[0]

    assert enter(half_signed_in, code)
    again = Client()
    again.post(
        reverse("account_login"),
        {"login": alice.email, "password": factories.PASSWORD},
    )
    assert not enter(again, code)
