"""The tokens of the benchmarks: as long as Atlassian's, and each says whose it is.

A token names its grant (`subject`) and its generation, so the endpoint can tell a
token that was used before from one that it never gave, without keeping any.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final, NamedTuple

ACCESS_CHARACTERS: Final = 2_000
REFRESH_CHARACTERS: Final = 850
# Random letters, the same in every run: neither TLS nor PostgreSQL can compress them.
_LETTERS: Final = base64.urlsafe_b64encode(
    hashlib.shake_256(b"benchmarks").digest(ACCESS_CHARACTERS)
).decode()


class Named(NamedTuple):
    """What a refresh token says of itself."""

    subject: str
    generation: int


def access_token(subject: str, generation: int) -> str:
    return f"a.{subject}.{generation}.{_LETTERS}"[:ACCESS_CHARACTERS]


def refresh_token(subject: str, generation: int) -> str:
    return f"r.{subject}.{generation}.{_LETTERS}"[:REFRESH_CHARACTERS]


def read(token: str) -> Named | None:
    """None if it is none of ours."""
    kind, _, rest = token.partition(".")
    subject, _, rest = rest.partition(".")
    generation = rest.partition(".")[0]
    if kind != "r" or not generation.isdecimal():
        return None
    named = Named(subject, int(generation))
    return named if refresh_token(*named) == token else None
