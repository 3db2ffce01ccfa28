"""Confluence Cloud's REST API behind the gateway: v2, and v1 where v2 has nothing.

Reference: https://developer.atlassian.com/cloud/confluence/rest/v2/intro/
API v1's calls for content and spaces answer 410 here since 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read_object
from confluence_link.atlassian.api import (
    NUMERIC_ID,
    ConfluenceApi,
    checked_page_id,
    checked_space_key,
    read_items,
    webui,
)
from confluence_link.atlassian.cloud import current_user
from confluence_link.atlassian.paging import (
    cursor_params,
    next_cursor,
    next_of_search,
)
from confluence_link.atlassian.values import Page, SearchHit, Slice, Space
from confluence_link.errors import LinkRefused, NotFound, NotPermitted

if TYPE_CHECKING:
    from confluence_link.atlassian.call import Call
    from confluence_link.atlassian.values import Account

_V1, _V2 = "/wiki/rest/api", "/wiki/api/v2"
_KEY_IN_PATH = re.compile(r"(?:/wiki)?/spaces/([^/?#]{1,255})/")
# Asked for by key or id, there is one; more come only from who ignores the filter.
_FILTERED = 100


class CloudApi(ConfluenceApi):
    def __init__(self, site_url: str) -> None:
        base = site_url.removesuffix("/wiki")
        super().__init__(f"{base}/wiki" if base else "", "/wiki")

    def current_user(self, call: Call) -> Account:
        try:
            return current_user(call)
        except LinkRefused:
            raise NotPermitted(401) from None

    def spaces(self, call: Call, cursor: str, limit: int) -> Slice[Space]:
        answer = call.get(f"{_V2}/spaces", cursor_params(cursor, limit))
        body = read_object(answer)
        found = read_items(answer, body, self._space)
        return Slice(found, next_cursor(answer, body, cursor))

    def space(self, call: Call, key_or_id: str) -> Space:
        """By key first: keys of digits alone exist."""
        wanted = checked_space_key(key_or_id)
        for space in self._filtered(call, "keys", wanted):
            if space.key == wanted:
                return space
        if NUMERIC_ID.fullmatch(wanted):
            for space in self._filtered(call, "ids", wanted):
                if space.space_id == wanted:
                    return space
        raise NotFound(404)

    def _filtered(self, call: Call, name: str, value: str) -> tuple[Space, ...]:
        params = {name: value, "limit": str(_FILTERED)}
        answer = call.get(f"{_V2}/spaces", params)
        return read_items(answer, read_object(answer), self._space)

    def space_to_call(self, call: Call, key_or_id: str) -> Space:
        return self.space(call, key_or_id)

    def pages(self, call: Call, space: Space, cursor: str, limit: int) -> Slice[Page]:
        path = f"{_V2}/spaces/{_checked_space_id(space)}/pages"
        answer = call.get(path, cursor_params(cursor, limit))
        body = read_object(answer)
        found = read_items(answer, body, self._page)
        return Slice(found, next_cursor(answer, body, cursor))

    def page(self, call: Call, page_id: str) -> Page:
        path = f"{_V2}/pages/{checked_page_id(page_id)}"
        return self._read_page(call.get(path, {"body-format": "storage"}))

    def search(self, call: Call, cql: str, cursor: str, limit: int) -> Slice[SearchHit]:
        params = {"cql": cql, **cursor_params(cursor, limit)}
        answer = call.get(f"{_V1}/search", params)
        body = read_object(answer)
        found = read_items(answer, body, self._hit)
        count = len(remote_values.sequence(body.get("results")))
        return Slice(found, next_of_search(answer, body, cursor, count, limit))

    def create_page(
        self, call: Call, space: Space, title: str, body: str, parent_id: str
    ) -> Page:
        parent = {"parentId": checked_page_id(parent_id)} if parent_id else {}
        new = {
            "spaceId": _checked_space_id(space),
            "status": "current",
            "title": title,
            **parent,
            "body": {"representation": "storage", "value": body},
        }
        return self._read_page(call.post(f"{_V2}/pages", new))

    def _space(self, value: object) -> Space | None:
        space = self._space_at(value, "/spaces/")
        return space if space and space.space_id else None

    def _page(self, value: object) -> Page | None:
        item = remote_values.mapping(value)
        key = _space_key(webui(item))
        return self._page_in(item, space_id=item.get("spaceId"), space_key=key)


def _space_key(path: object) -> str:
    """API v2 names a page's space by id alone; its path for people has the key."""
    match = _KEY_IN_PATH.match(remote_values.link_path(path))
    return unquote(match[1]) if match else ""


def _checked_space_id(space: Space) -> str:
    if not NUMERIC_ID.fullmatch(space.space_id):
        raise NotFound(404)
    return space.space_id
