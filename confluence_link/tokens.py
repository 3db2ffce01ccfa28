"""The token set in memory: frozen, and shown by nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a token endpoint gave.

    `access_token` is empty if only the refresh token of an answer was usable;
    `refresh_token` is None if the answer had none. `expires_in_seconds` is already
    clamped. `scopes` is None if the answer did not say (Data Center).
    `by_next_secret`: the app's current client secret was refused, and its next one
    taken.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in_seconds: int
    scopes: tuple[str, ...] | None
    by_next_secret: bool = False

    def __reduce__(self) -> str:
        # A token set never travels: not into a queue, a cache or a process.
        raise TypeError("a token set cannot be pickled")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A live access token as `handoff` gives it; `expires_at` is ours, in UTC."""

    value: str = field(repr=False)
    expires_at: datetime
    generation: int

    def __reduce__(self) -> str:
        raise TypeError("an access token cannot be pickled")
