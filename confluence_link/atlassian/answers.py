"""What an API's answer means: a value to read on, or one of our errors.

Confluence has three shapes of error bodies, and proxies before it add HTML and
nothing at all; so the status decides, and bodies tell two cases apart and no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from confluence_link.atlassian.remote_values import identifier
from confluence_link.errors import (
    Conflict,
    NotFound,
    NotPermitted,
    RateLimited,
    Rejected,
    ScopeMissing,
    TransportError,
    Unavailable,
)

if TYPE_CHECKING:
    from confluence_link.errors import ApiError
    from confluence_link.http import Answer

# Where a 429 names no time: what Atlassian advises to begin with.
# Reference: https://developer.atlassian.com/cloud/confluence/rate-limiting/
RETRY_AFTER_SECONDS = 5
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
# Error bodies are short; the rest of a long one is not looked at.
_LOOKED_AT = 16_384


def checked(answer: Answer) -> Answer:
    """The answer if it is a success, else the error that it stands for."""
    if 200 <= answer.status < 300:
        return answer
    raise _error(answer)


def _error(answer: Answer) -> ApiError:
    status, request_id = answer.status, request_id_of(answer)
    if status == 429:
        seconds = answer.retry_after_seconds or RETRY_AFTER_SECONDS
        return RateLimited(status, retry_after_seconds=seconds, request_id=request_id)
    if status in {401, 403}:
        kind = ScopeMissing if _lacks_scope(answer) else NotPermitted
        return kind(status, request_id=request_id)
    if status == 404:
        return NotFound(status, request_id=request_id)
    if status == 409 or (status == 400 and _says(answer, b"already exists")):
        # 400 is how both deployments refuse a title that the space has already.
        return Conflict(status, request_id=request_id)
    if 400 <= status < 500:
        return Rejected(status, request_id=request_id)
    # Redirects as well: nothing that is allowed to answer for Confluence sends one.
    return Unavailable(
        status,
        retry_after_seconds=answer.retry_after_seconds,
        request_id=request_id,
    )


def _lacks_scope(answer: Answer) -> bool:
    category = answer.headers.get("X-Failure-Category", "")
    return "SCOPE" in category.upper() or _says(answer, b"scope does not match")


def _says(answer: Answer, words: bytes) -> bool:
    return words in answer.body[:_LOOKED_AT].lower()


def request_id_of(answer: Answer) -> str:
    for header in ("atl-request-id", "atl-traceid"):
        if found := identifier(answer.headers.get(header), _REQUEST_ID):
            return found
    return ""


def read(answer: Answer) -> object:
    """The JSON of a success."""
    try:
        return answer.json()
    except TransportError:
        raise untrusted(answer) from None


def read_object(answer: Answer) -> Mapping[str, object]:
    body = read(answer)
    if not isinstance(body, dict):
        raise untrusted(answer)
    return body


def untrusted(answer: Answer) -> Unavailable:
    """For a success that is not what the call promises."""
    return Unavailable(answer.status, request_id=request_id_of(answer))
