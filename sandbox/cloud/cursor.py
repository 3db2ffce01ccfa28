"""Opaque cursors: an offset in disguise, so that nobody counts on its form."""

from __future__ import annotations

import base64
import binascii

PREFIX = "after="


def encode(offset: int) -> str:
    return base64.urlsafe_b64encode(f"{PREFIX}{offset}".encode()).decode()


def decode(cursor: str | None) -> int:
    """`ValueError` for what `encode` did not make."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("bad cursor") from error
    if not text.startswith(PREFIX):
        raise ValueError("bad cursor")
    return int(text.removeprefix(PREFIX))
