"""Cursors: what a `next` link says about the next slice, and nothing more of it.

A link may name another host, leave out the gateway's prefix or double `/wiki`; so
only its cursor is taken, and every URL is built anew (design 8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from confluence_link.atlassian.remote_values import mapping, number
from confluence_link.errors import Rejected

if TYPE_CHECKING:
    from confluence_link.http import Answer

_CURSOR = re.compile(r"[\x21-\x7e]{1,4000}")
_START = re.compile(r"start:([0-9]{1,9})")
_NUMBER = re.compile(r"[0-9]{1,9}")
# Reference: https://www.rfc-editor.org/rfc/rfc8288#section-3
_NEXT = re.compile(r"<([^<>]{0,8000})>\s*;[^,<>]*\brel=\"?next\b", re.IGNORECASE)


def cursor_params(cursor: str, limit: int) -> dict[str, str]:
    """The query of a slice. Cursors come back from browsers: anything may be in one."""
    params = {"limit": str(limit)}
    if start := _START.fullmatch(cursor):
        params["start"] = start[1]
    elif cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Rejected(400)
        params["cursor"] = cursor
    return params


def next_cursor(answer: Answer, body: Mapping[str, object], current: str) -> str:
    """What the `next` link of a Cloud answer says; some have a start alone."""
    link = _next_link(answer, body)
    cursor = _query_value(link, "cursor")
    if not _CURSOR.fullmatch(cursor):
        start = _query_value(link, "start")
        cursor = f"start:{start}" if _NUMBER.fullmatch(start) else ""
    # A list that leads back to itself has no end.
    return "" if cursor == current else cursor


def _next_link(answer: Answer, body: Mapping[str, object]) -> str:
    link = mapping(body.get("_links")).get("next")
    if isinstance(link, str):
        return link
    header = _NEXT.search(answer.headers.get("Link", "")[:20_000])
    return header[1] if header else ""


def _query_value(link: str, name: str) -> str:
    query = link.partition("?")[2].partition("#")[0]
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key == name:
            # A plus sign stands for itself: cursors are base64, and hold no blanks.
            return unquote(value)
    return ""


def start_of(cursor: str) -> int:
    """Data Center's cursor is the number of the first item."""
    if not cursor:
        return 0
    if not _NUMBER.fullmatch(cursor):
        raise Rejected(400)
    return int(cursor)


def next_start(body: Mapping[str, object], start: int, count: int, limit: int) -> str:
    """Where Data Center's next slice starts, if its answer says that there is one."""
    link = mapping(body.get("_links")).get("next")
    if not isinstance(link, str):
        return str(start + count) if _is_cut_off(body, start, count, limit) else ""
    named = _query_value(link, "start")
    following = int(named) if _NUMBER.fullmatch(named) else start + count
    return str(following) if following > start else ""


def _is_cut_off(body: Mapping[str, object], start: int, count: int, limit: int) -> bool:
    """An answer without any links tells by its numbers whether there is more."""
    if "_links" in body or not count:
        return False
    if total := number(body.get("totalSize")):
        return start + count < total
    # Servers may give less at once than they are asked for.
    return count >= min(limit, number(body.get("limit")) or limit)


def next_of_search(
    answer: Answer, body: Mapping[str, object], current: str, count: int, limit: int
) -> str:
    """Cloud's search still counts, so its numbers will do where links are missing."""
    if _next_link(answer, body):
        return next_cursor(answer, body, current)
    following = next_start(body, number(body.get("start")), count, limit)
    # A server that does not count would give its first slice for ever.
    return f"start:{following}" if following and current != f"start:{following}" else ""
