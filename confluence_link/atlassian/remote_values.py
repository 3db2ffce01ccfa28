"""Reads single values out of remote answers: nothing hostile passes, nothing raises.

A value that is not what it should be becomes the empty one; callers decide whether
they can live without it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

NAME_LENGTH = 255
URL_LENGTH = 500
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
# They reverse what a reader sees, and no name needs them.
_DIRECTION_OVERRIDES = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\\"<>^`{|}]")


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def name(value: object, length: int = NAME_LENGTH) -> str:
    """One line that a database takes and a page can show, cut to `length`."""
    if not isinstance(value, str):
        return ""
    # Cut first: a megabyte of name is not worth cleaning.
    kept = (_visible(character) for character in value[: length * 8])
    return " ".join("".join(kept).split())[:length].rstrip()


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    hidden = unicodedata.category(character) in {"Cc", "Cs"}
    return "" if hidden or character in _DIRECTION_OVERRIDES else character


def document(value: object) -> str:
    """A text of any length, without what a database or XML refuses."""
    if not isinstance(value, str):
        return ""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", value)


def identifier(value: object, pattern: re.Pattern[str]) -> str:
    """An id that is exactly of this form; numbers count as their digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def scopes(value: object) -> tuple[str, ...]:
    """The well-formed scopes of a list, in its order, each once.

    Reference: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
    """
    words = (one for one in sequence(value) if isinstance(one, str))
    return tuple(dict.fromkeys(word for word in words if SCOPE.fullmatch(word)))


def web_url(value: object, *, like: str) -> str:
    """An address for a browser: http only as `like` is, inside only as `like` is."""
    if not isinstance(value, str) or len(value) > URL_LENGTH:
        return ""
    parts, model = _split(value), _split(like)
    if parts is None or model is None or _NOT_IN_URLS.search(value):
        return ""
    if parts.scheme not in {"https", model.scheme} or "@" in parts.netloc:
        return ""
    if _is_internal(parts) and not _is_internal(model):
        return ""
    return value.rstrip("/")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        # Reading the port is what checks it.
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _is_internal(parts: SplitResult) -> bool:
    host = (parts.hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))


def link_path(value: object) -> str:
    """A path that may be put behind a site's own address, or empty."""
    if not isinstance(value, str) or len(value) > 2 * URL_LENGTH:
        return ""
    fine = value.startswith("/") and not _NOT_IN_URLS.search(value)
    return value if fine else ""
