"""The key ring: CONFLUENCE_LINK_VAULT_KEYS, `id:base64`; the first seals, all open."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY_BYTES: Final = 32


def key_ring() -> Mapping[str, bytes]:
    """The usable keys by id, in order; `key_ring_problems` tells of the others."""
    return _read(tuple(settings.CONFLUENCE_LINK_VAULT_KEYS))


def key_ids() -> list[str]:
    """The ids of the usable keys, in order."""
    return list(key_ring())


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
def _read(entries: Sequence[str]) -> Mapping[str, bytes]:
    usable = [entry for entry in entries if not _malformed(entry)]
    return {
        name: base64.b64decode(_plain_base64(text))
        for name, _, text in (entry.partition(":") for entry in usable)
    }
