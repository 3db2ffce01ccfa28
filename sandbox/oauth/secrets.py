"""Makes codes and tokens. Each begins with `CNRY`, so that a test can sweep
logs, sessions and databases for one that got away."""

from __future__ import annotations

import secrets

CANARY = "CNRY"


def new_code() -> str:
    return f"{CANARY}-code-{secrets.token_urlsafe(24)}"


def new_refresh_token() -> str:
    return f"{CANARY}-refresh-{secrets.token_urlsafe(32)}"


def new_access_token(length: int) -> str:
    """As long as asked (64 at least), with the three parts of a JWT."""
    body = secrets.token_urlsafe(max(length, 64))
    prefix = f"{CANARY}-access-"
    room = max(length, 64) - len(prefix)
    third = room // 3
    return (
        f"{prefix}{body[:third]}.{body[third : 2 * third]}.{body[2 * third : room - 2]}"
    )
