"""A place to seal for, a key, and why something does not open there."""

from __future__ import annotations

import base64
import secrets

import pytest

from confluence_link import vault
from confluence_link.errors import VaultError

PLACE = vault.Binding(
    purpose="access_token",
    table="sealed_token_set",
    record="a-grant",
    oauth_app="1",
    epoch=2,
    generation=3,
)
TEXT = "CNRY-token.of_a~person+/="


def random_key(name="k1"):
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def reason_of(envelope, place=PLACE):
    with pytest.raises(VaultError) as caught:
        vault.open_sealed(envelope, binding=place)
    assert TEXT not in str(caught.value)
    return caught.value.reason
