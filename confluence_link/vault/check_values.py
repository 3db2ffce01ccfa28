"""Key check values: whether a key id still stands for the bytes it stood for.

A value is derived with HKDF from the key under an info of its own: it tells two keys
apart, and neither the key nor any record's key can be found from it.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from confluence_link.models import VaultKey, database_now
from confluence_link.vault.key_ring import key_ring

CHECK_VALUE_BYTES: Final = 16


def note_keys() -> None:
    """Notes each key of the ring that is seen for the first time."""
    noted, ours = _noted(), _of_the_ring()
    new = {key_id: value for key_id, value in ours.items() if not noted.get(key_id)}
    if not new:
        return
    now = database_now()
    # Given up before it was ever seen here.
    VaultKey.objects.filter(key_id__in=new, check_value="").delete()
    # Of two processes that begin with two keys under one id, one is refused then.
    VaultKey.objects.bulk_create(
        [
            VaultKey(key_id=key_id, check_value=value, first_seen_at=now)
            for key_id, value in new.items()
        ],
        ignore_conflicts=True,
    )


def changed_key_ids() -> list[str]:
    """Ids of the ring whose bytes are others than those that were noted."""
    noted = _noted()
    return [
        key_id
        for key_id, value in _of_the_ring().items()
        if noted.get(key_id) and not hmac.compare_digest(noted[key_id], value)
    ]


def lost_key_ids() -> set[str]:
    """The keys that an operator gave up."""
    lost = VaultKey.objects.exclude(lost_at=None)
    return set(lost.values_list("key_id", flat=True))


def give_up(key_id: str) -> None:
    """A start no longer waits for this key. If it does come back, it opens again."""
    now = database_now()
    VaultKey.objects.update_or_create(
        key_id=key_id,
        defaults={"lost_at": now},
        create_defaults={"lost_at": now, "first_seen_at": now, "check_value": ""},
    )


def _noted() -> dict[str, str]:
    return dict(VaultKey.objects.values_list("key_id", "check_value"))


def _of_the_ring() -> dict[str, str]:
    return {key_id: _check_value(key_id, key) for key_id, key in key_ring().items()}


def _check_value(key_id: str, key: bytes) -> str:
    derived = HKDF(
        algorithm=SHA256(),
        length=CHECK_VALUE_BYTES,
        salt=key_id.encode(),
        info=b"confluence_link key check",
    ).derive(key)
    return derived.hex()
