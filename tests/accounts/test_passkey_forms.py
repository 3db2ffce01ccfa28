"""A credential is whatever a browser posts; a bad one is refused, never an accident."""

from __future__ import annotations

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from tests.factories import PASSWORD


def _b64(value):
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _said(kind):
    words = {"type": kind, "challenge": "AAAA", "origin": "http://testserver"}
    return _b64(json.dumps(words).encode())


def _credential(**response):
    """Well-formed as far as JSON goes."""
    head = {"id": "AAAA", "rawId": "AAAA", "type": "public-key"}
    return {**head, "response": response}


BAD = [
    "{",
    "[" * 100_000,
    "1" * 5_000,
    '{"id": "\\u0000"}',
    '"\\ud800"',
    *map(
        json.dumps,
        (
            None,
            1,
            [],
            {"id": 1},
            {"response": 1},
            {"id": "x", "rawId": "x", "type": "public-key", "response": {}},
            _credential(clientDataJSON=1, attestationObject=1),
            _credential(clientDataJSON="!", attestationObject="!"),
            _credential(
                clientDataJSON=_said("webauthn.create"), attestationObject=_b64(b"\xff")
            ),
            _credential(clientDataJSON=_b64(b"[]"), attestationObject=_b64(b"\xa0")),
            _credential(
                clientDataJSON=_said("webauthn.get"),
                authenticatorData=_b64(bytes(37)),
                signature="AAAA",
                userHandle=_b64(b"1"),
            ),
            _credential(
                clientDataJSON=_said("webauthn.get"),
                authenticatorData=_b64(b"\xff" * 40),
                signature=None,
                userHandle=_b64(b"9" * 40),
            ),
        ),
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize("credential", BAD, ids=range(len(BAD)))
def test_a_bad_credential_signs_nobody_in(client, credential):
    url = reverse("mfa_login_webauthn")
    client.get(url, headers={"X-Requested-With": "XMLHttpRequest"})
    answer = client.post(url, {"credential": credential})

    assert answer.url == reverse("account_login")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("credential", BAD, ids=range(len(BAD)))
def test_a_bad_credential_is_not_added(alice_client, credential):
    alice_client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    url = reverse("mfa_add_webauthn")
    alice_client.get(url)
    answer = alice_client.post(url, {"credential": credential, "name": "Key"})

    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.fixture
def second_factor(alice):
    """A passkey as allauth stores one; nobody here holds its secret."""
    auth_data = bytes(32) + b"\x45" + bytes(4) + bytes(16) + b"\x00\x03\x01\x02\x03"
    key = (
        bytes.fromhex("a5010203262001215820") + bytes(32) + b"\x22\x58\x20" + bytes(32)
    )
    sealed = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData"
    data = auth_data + key
    attested = sealed + b"\x58" + bytes([len(data)]) + data
    credential = _credential(
        clientDataJSON=_said("webauthn.create"), attestationObject=_b64(attested)
    )
    head = {"id": "AQID", "rawId": "AQID"}
    return Authenticator.objects.create(
        user=alice,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Key", "credential": {**credential, **head}},
    )


@pytest.mark.parametrize("credential", BAD, ids=range(len(BAD)))
def test_a_bad_credential_is_no_second_factor(client, alice, second_factor, credential):
    form = {"login": alice.email, "password": PASSWORD}
    url = client.post(reverse("account_login"), form).url
    assert url == reverse("mfa_authenticate")
    client.get(url)
    answer = client.post(url, {"credential": credential})

    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("credential", BAD, ids=range(len(BAD)))
def test_a_bad_credential_confirms_nothing(alice_client, second_factor, credential):
    url = reverse("mfa_reauthenticate_webauthn")
    before = alice_client.session["account_authentication_methods"]
    alice_client.get(url)
    answer = alice_client.post(url, {"credential": credential})

    assert answer.status_code in {200, 302}
    assert alice_client.session["account_authentication_methods"] == before
