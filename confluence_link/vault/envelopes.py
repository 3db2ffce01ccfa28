"""Envelopes: sealed for one place, opened only there.

An envelope is `version | key id | salt | nonce | ciphertext and tag`. The record key
is derived from the master key and the salt (HKDF-SHA256, RFC 5869), so no key ever
seals two records with one nonce. The associated data binds purpose, table, record,
epoch, generation, OAuth app and key id: moved elsewhere, an envelope does not open.
There is no trial decryption and no plain-text fallback.
"""

from __future__ import annotations

import json
import secrets
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from confluence_link.errors import VaultError
from confluence_link.vault.key_ring import KEY_BYTES, key_ring

VERSION: Final = b"\x01"
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
# Made once: `json.dumps` would make one for every envelope.
_COMPACT: Final = json.JSONEncoder(separators=(",", ":"))
_SHA256: Final = SHA256()


class Binding(NamedTuple):
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
        return _COMPACT.encode(fields).encode()


def seal(plaintext: str, *, binding: Binding) -> bytes:
    """Seals with the first key of the ring. Raises VaultError without keys."""
    ring = key_ring()
    if not ring:
        raise VaultError("no_keys")
    key_id, master = next(iter(ring.items()))
    chance = secrets.token_bytes(SALT_BYTES + NONCE_BYTES)
    salt, nonce = chance[:SALT_BYTES], chance[SALT_BYTES:]
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
    master = key_ring().get(key_id)
    if master is None:
        raise VaultError("key_missing", key_id=key_id)
    try:
        opened = AESGCM(_record_key(master, salt)).decrypt(
            nonce, sealed, binding.associated_data(key_id)
        )
    except InvalidTag:
        raise VaultError("damaged", key_id=key_id) from None
    return opened.decode()


def reseal(envelope: bytes | memoryview, *, binding: Binding) -> bytes:
    """The same for the same place, under the first key. Raises as `open_sealed`."""
    return seal(open_sealed(envelope, binding=binding), binding=binding)


def sealing_key_id() -> str:
    """The id of the key that seals now."""
    ring = key_ring()
    if not ring:
        raise VaultError("no_keys")
    return next(iter(ring))


def key_id_of(envelope: bytes | memoryview) -> str:
    """The id of the key that an envelope was sealed with."""
    return _split(bytes(envelope))[0]


def _record_key(master: bytes, salt: bytes) -> bytes:
    return HKDF(
        algorithm=_SHA256, length=KEY_BYTES, salt=salt, info=b"confluence_link record"
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
