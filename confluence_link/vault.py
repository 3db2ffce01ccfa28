"""The vault: seals what must not be read, and opens it only in its own place.

An envelope is `version | key id | salt | nonce | ciphertext and tag`. The record key
is derived from the master key and the salt (HKDF-SHA256, RFC 5869), so no key ever
seals two records with one nonce. The associated data binds purpose, table, record,
epoch, generation, OAuth app and key id: moved elsewhere, an envelope does not open.
There is no trial decryption and no plain-text fallback. This is the only module that
imports cryptography.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from confluence_link.errors import VaultError
from confluence_link.models import SealedTokenSet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confluence_link.models import Grant, OAuthApp

VERSION: Final = b"\x01"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Binding:
    """Where an envelope belongs. Every field is part of the associated data."""

    purpose: str
    table: str
    record: str
    oauth_app: str = ""
    epoch: int = 0
    generation: int = 0

    def associated_data(self, key_id: str) -> bytes:
        fields = [
            self.purpose,
            self.table,
            self.record,
            self.epoch,
            self.generation,
            self.oauth_app,
            key_id,
        ]
        return json.dumps(fields, separators=(",", ":")).encode()


def seal(plaintext: str, *, binding: Binding) -> bytes:
    """Seals with the first key of the ring. Raises VaultError without keys."""
    ring = _key_ring(tuple(settings.CONFLUENCE_LINK_VAULT_KEYS))
    if not ring:
        raise VaultError("no_keys")
    key_id, master = next(iter(ring.items()))
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(_record_key(master, salt)).encrypt(
        nonce, plaintext.encode(), binding.associated_data(key_id)
    )
    name = key_id.encode()
    return VERSION + bytes([len(name)]) + name + salt + nonce + sealed


def open_sealed(envelope: bytes | memoryview, *, binding: Binding) -> str:
    """Opens an envelope in its place.

    Raises VaultError: `key_missing` if the ring lacks the envelope's key (the row
    comes back with the key), `damaged` if it is not what was sealed for this place.
    """
    key_id, salt, nonce, sealed = _split(bytes(envelope))
    master = _key_ring(tuple(settings.CONFLUENCE_LINK_VAULT_KEYS)).get(key_id)
    if master is None:
        raise VaultError("key_missing", key_id=key_id)
    try:
        opened = AESGCM(_record_key(master, salt)).decrypt(
            nonce, sealed, binding.associated_data(key_id)
        )
    except InvalidTag:
        raise VaultError("damaged", key_id=key_id) from None
    return opened.decode()


def sealing_key_id() -> str:
    """The id of the key that seals now."""
    ring = _key_ring(tuple(settings.CONFLUENCE_LINK_VAULT_KEYS))
    if not ring:
        raise VaultError("no_keys")
    return next(iter(ring))


def key_id_of(envelope: bytes | memoryview) -> str:
    """The id of the key that an envelope was sealed with."""
    return _split(bytes(envelope))[0]


# What is sealed
# ------------------------------------------------------------------------------
def store_token_set(grant: Grant, *, access_token: str, refresh_token: str) -> None:
    """Replaces the grant's sealed token set; the predecessor is not kept.

    For a new consent. The binding uses the epoch and generation of the object, and
    the caller saves the grant with them in the same transaction.
    """
    SealedTokenSet.objects.update_or_create(
        grant_id=grant.pk,
        defaults={
            "access": seal_access(grant, access_token),
            "refresh": seal_refresh(grant, refresh_token),
            "previous_refresh": b"",
            "previous_until": None,
            "key_id": sealing_key_id(),
        },
    )


def seal_access(grant: Grant, access_token: str) -> bytes:
    return seal(access_token, binding=_token_binding(grant, "access_token"))


def seal_refresh(grant: Grant, refresh_token: str) -> bytes:
    return seal(refresh_token, binding=_token_binding(grant, "refresh_token"))


def open_access(grant: Grant, envelope: bytes | memoryview) -> str:
    return open_sealed(envelope, binding=_token_binding(grant, "access_token"))


def open_refresh(grant: Grant, envelope: bytes | memoryview) -> str:
    return open_sealed(envelope, binding=_token_binding(grant, "refresh_token"))


def destroy(grant: Grant) -> None:
    """Erases the grant's sealed tokens from the database."""
    SealedTokenSet.objects.filter(grant_id=grant.pk).delete()


def seal_client_secret(oauth_app: OAuthApp, secret: str) -> None:
    """Sets the app's sealed client secret; the caller saves the app."""
    oauth_app.sealed_client_secret = seal(secret, binding=_secret_binding(oauth_app))


def open_client_secret(oauth_app: OAuthApp) -> str:
    return open_sealed(
        oauth_app.sealed_client_secret, binding=_secret_binding(oauth_app)
    )


def seal_text(purpose: str, text: str, *, record: str = "") -> str:
    """Seals a text for a place that holds text, in letters that are safe in a URL."""
    sealed = seal(text, binding=Binding(purpose=purpose, table="", record=record))
    return base64.urlsafe_b64encode(sealed).decode()


def open_text(purpose: str, sealed: str, *, record: str = "") -> str:
    try:
        # The lenient decoder would skip whatever is not base64.
        envelope = base64.b64decode(sealed, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise VaultError("damaged") from None
    return open_sealed(
        envelope, binding=Binding(purpose=purpose, table="", record=record)
    )


def _token_binding(grant: Grant, purpose: str) -> Binding:
    return Binding(
        purpose=purpose,
        table="sealed_token_set",
        record=grant.public_id,
        oauth_app=str(grant.oauth_app_id),
        epoch=grant.epoch,
        generation=grant.generation,
    )


def _secret_binding(oauth_app: OAuthApp) -> Binding:
    return Binding(
        purpose="client_secret",
        table="oauth_app",
        record=oauth_app.provider_id,
    )


# The key ring
# ------------------------------------------------------------------------------
def key_ring_problems() -> list[str]:
    """What is wrong with CONFLUENCE_LINK_VAULT_KEYS, in sentences; empty if nothing."""
    entries = list(settings.CONFLUENCE_LINK_VAULT_KEYS)
    problems = [] if entries else ["There is no key."]
    for place, entry in enumerate(entries, start=1):
        problem = _malformed(entry) or _weak(entry)
        if problem:
            problems.append(f"Key {place} {problem}.")
    names = [entry.partition(":")[0] for entry in entries]
    if len(set(names)) < len(names):
        problems.append("Two keys have the same id.")
    texts = [_plain_base64(entry.partition(":")[2]) for entry in entries]
    if len(set(texts)) < len(texts):
        problems.append("Two keys have the same bytes.")
    return problems


def _malformed(entry: str) -> str:
    """Why an entry can be no key at all."""
    name, colon, text = entry.partition(":")
    if not colon or not name or len(name.encode()) > 32 or not name.isascii():
        return "is not of the form id:base64 with an id of 1 to 32 ASCII characters"
    try:
        key = base64.b64decode(_plain_base64(text), validate=True)
    except (ValueError, binascii.Error):
        return "is not base64 after the colon"
    if len(key) != KEY_BYTES:
        return f"has {len(key)} bytes instead of {KEY_BYTES}"
    return ""


def _weak(entry: str) -> str:
    """Why a key protects nothing; production refuses to start with it."""
    text = entry.partition(":")[2]
    key = base64.b64decode(_plain_base64(text))
    if len(set(key)) < 8:
        return "is not random: it repeats a few bytes"
    if key in settings.SECRET_KEY.encode() or text in settings.SECRET_KEY:
        return "is made from SECRET_KEY"
    return ""


def _plain_base64(text: str) -> str:
    """Base64 as it is usual, of either alphabet, padded or not (RFC 4648).

    Keys come from `openssl rand` and from `secrets.token_urlsafe` alike.
    """
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)


@lru_cache(maxsize=4)
def _key_ring(entries: Sequence[str]) -> Mapping[str, bytes]:
    """The keys by id, in order; problems are told by `key_ring_problems`."""
    usable = [entry for entry in entries if not _malformed(entry)]
    return {
        name: base64.b64decode(_plain_base64(text))
        for name, _, text in (entry.partition(":") for entry in usable)
    }


def _record_key(master: bytes, salt: bytes) -> bytes:
    return HKDF(
        algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"confluence_link record"
    ).derive(master)


def _split(envelope: bytes) -> tuple[str, bytes, bytes, bytes]:
    name_end = 2 + (envelope[1] if len(envelope) > 1 else 0)
    salt_end = name_end + SALT_BYTES
    nonce_end = salt_end + NONCE_BYTES
    if envelope[:1] != VERSION or len(envelope) < nonce_end + 16:
        raise VaultError("damaged")
    try:
        name = envelope[2:name_end].decode("ascii")
    except UnicodeDecodeError:
        raise VaultError("damaged") from None
    return (
        name,
        envelope[name_end:salt_end],
        envelope[salt_end:nonce_end],
        envelope[nonce_end:],
    )
