"""An answer of the other side, and JSON read without any leniency."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from confluence_link.errors import TransportError

_MAX_DEPTH = 64
_MAX_RETRY_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP response; `headers` takes names in any case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> object:
        """The body as JSON; raises TransportError("malformed").

        Refuses what parsers read differently: a key twice, NaN, numbers beyond
        float, other encodings than UTF-8, lone surrogates, deep nesting.
        """
        try:
            return _strict(self.body)
        except (ValueError, RecursionError):
            pass
        # Raised outside of the handler, so that no body hangs on its context.
        raise TransportError("malformed", sent=True)

    @property
    def is_html(self) -> bool:
        """Whether this is a page for people, such as a login or firewall page."""
        kind = self.headers.get("Content-Type", "").lower()
        return "html" in kind or self.body.lstrip()[:1] == b"<"

    @property
    def retry_after_seconds(self) -> int | None:
        """Seconds from 1 to 3600, or None if the header says nothing readable."""
        # Reference: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
        text = self.headers.get("Retry-After", "").strip()
        seconds = _whole_number(text)
        if seconds is None:
            seconds = _seconds_until(text)
        if seconds is None:
            return None
        return int(min(max(seconds, 1), _MAX_RETRY_AFTER_SECONDS))


def _whole_number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?[0-9]{1,300}", text) else None


def _seconds_until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _strict(body: bytes) -> object:
    value: object = _DECODER.decode(body.decode("utf-8"))
    if not (_is_flat(value) and body.isascii() and b"\\" not in body):
        _check_tree(value)
    return value


def _is_flat(value: object) -> bool:
    return isinstance(value, dict) and not any(
        isinstance(one, dict | list) for one in value.values()
    )


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(text: str) -> object:
    raise ValueError("not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("beyond float")
    return number


# Made once: `json.loads` would make one for every answer.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_refuse, parse_float=_finite
)


def _check_tree(root: object) -> None:
    # A list of levels instead of recursion: the depth is the peer's to choose.
    level: list[object] = [root]
    for _ in range(_MAX_DEPTH):
        below: list[object] = []
        for value in level:
            if isinstance(value, str):
                value.encode("utf-8")
            elif isinstance(value, dict):
                below += [*value.keys(), *value.values()]
            elif isinstance(value, list):
                below += value
        if not below:
            return
        level = below
    raise ValueError("too deep")
