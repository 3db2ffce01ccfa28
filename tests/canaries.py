"""Searches bytes for what must never be in the clear, also where it is encoded."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from typing import Final

# Every code and token of the sandbox begins so.
CANARY: Final = b"CNRY"


def _base64_forms() -> set[bytes]:
    """What the base64 of a longer text with the canary in it contains."""
    forms = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + CANARY + b"\0\0")
        # Only whole characters of the canary: those shared with neighbours may differ.
        start, end = -(-before * 8 // 6), (before + len(CANARY)) * 8 // 6
        forms.add(encoded[start:end])
    return forms


FORMS: Final = frozenset(
    {CANARY, CANARY.hex().encode(), CANARY.hex().upper().encode(), *_base64_forms()}
)
_COMPRESSED: Final = re.compile(rb"\x1f\x8b\x08|x\x9c|x\xda|x\x01")


def found_in(data: bytes) -> set[bytes]:
    """The forms of the canary that occur, also inside of compressed parts."""
    return {form for form in FORMS if form in data} | {
        form
        for match in _COMPRESSED.finditer(data)
        for form in FORMS
        if form in _inflated(data[match.start() :])
    }


def _inflated(data: bytes) -> bytes:
    window = 31 if data.startswith(b"\x1f\x8b") else 15
    try:
        return zlib.decompressobj(window).decompress(data)
    except (zlib.error, gzip.BadGzipFile):
        return b""
