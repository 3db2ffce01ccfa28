"""Confluence Data Center's REST API v1, at the server itself.

Reference: https://docs.atlassian.com/ConfluenceServer/rest/
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read_object
from confluence_link.atlassian.api import (
    ConfluenceApi,
    checked_page_id,
    checked_space_key,
    read_items,
)
from confluence_link.atlassian.data_center import current_user
from confluence_link.atlassian.paging import next_start, start_of
from confluence_link.atlassian.values import Page, SearchHit, Slice, Space
from confluence_link.errors import ApiError, NotFound, NotPermitted, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from confluence_link.atlassian.call import Call
    from confluence_link.atlassian.values import Account

    T = TypeVar("T")

_API = "/rest/api"
_SPACE_PATH = "/display/"
_FILTERED = 100


class DataCenterApi(ConfluenceApi):
    def __init__(self, base_url: str) -> None:
        super().__init__(base_url, urlsplit(base_url).path)

    def current_user(self, call: Call) -> Account:
        user = current_user(call)
        if user is None:
            # A server that lets anyone read took an unknown token for no token.
            raise NotPermitted(401)
        return user

    def spaces(self, call: Call, cursor: str, limit: int) -> Slice[Space]:
        return _listed(call, f"{_API}/space", {}, cursor, limit, self._space)

    def space(self, call: Call, key_or_id: str) -> Space:
        wanted = checked_space_key(key_or_id)
        params = {"spaceKey": wanted}
        found = _listed(call, f"{_API}/space", params, "", _FILTERED, self._space)
        for space in found.items:
            if wanted in {space.key, space.space_id}:
                return space
        return self._space_itself(call, wanted)

    def _space_itself(self, call: Call, key: str) -> Space:
        """For servers that list all spaces whatever key is asked for, in slices."""
        space = self._space(read_object(call.get(f"{_API}/space/{quote(key)}")))
        if space is None or space.key != key:
            raise NotFound(404)
        return space

    def space_to_call(self, call: Call, key_or_id: str) -> Space:
        """Calls name a space by its key, so nobody has to be asked."""
        key = checked_space_key(key_or_id)
        return Space("", key, key, "", self._link("", _SPACE_PATH + quote(key)))

    def pages(self, call: Call, space: Space, cursor: str, limit: int) -> Slice[Page]:
        key = checked_space_key(space.key)
        params = {"spaceKey": key, "type": "page", "expand": "space,version"}
        try:
            path = f"{_API}/content"
            return _listed(call, path, params, cursor, limit, self._page)
        except (NotFound, Rejected) as refusal:
            return self._pages_searched(call, key, cursor, limit, refusal)

    def _pages_searched(
        self, call: Call, key: str, cursor: str, limit: int, refusal: ApiError
    ) -> Slice[Page]:
        """The listing by search, for servers that give it in no other way."""
        cql = f'space = "{key}" and type = page order by title'
        params = {"cql": cql, "expand": "space,version"}
        path = f"{_API}/content/search"
        try:
            found = _listed(call, path, params, cursor, limit, self._page)
        except ApiError:
            raise refusal from None
        if not found.items and not cursor:
            # A space that is not there has no pages either: that was the answer.
            raise refusal
        return found

    def page(self, call: Call, page_id: str) -> Page:
        path = f"{_API}/content/{checked_page_id(page_id)}"
        return self._read_page(call.get(path, {"expand": "body.storage,space,version"}))

    def search(self, call: Call, cql: str, cursor: str, limit: int) -> Slice[SearchHit]:
        params = {"cql": cql}
        try:
            return _listed(call, f"{_API}/search", params, cursor, limit, self._hit)
        except NotFound:
            # Without the site search, the content search finds pages just as well.
            params["expand"] = "space"
            path = f"{_API}/content/search"
            return _listed(call, path, params, cursor, limit, self._hit)

    def create_page(
        self, call: Call, space: Space, title: str, body: str, parent_id: str
    ) -> Page:
        parent = [{"id": checked_page_id(parent_id)}] if parent_id else []
        new = {
            "type": "page",
            "title": title,
            "space": {"key": checked_space_key(space.key)},
            **({"ancestors": parent} if parent else {}),
            "body": {"storage": {"value": body, "representation": "storage"}},
        }
        return self._read_page(call.post(f"{_API}/content", new))

    def _space(self, value: object) -> Space | None:
        return self._space_at(value, _SPACE_PATH)

    def _page(self, value: object) -> Page | None:
        item = remote_values.mapping(value)
        space = remote_values.mapping(item.get("space"))
        return self._page_in(item, space_id=space.get("id"), space_key=space.get("key"))


def _listed(
    call: Call,
    path: str,
    params: Mapping[str, str],
    cursor: str,
    limit: int,
    read: Callable[[object], T | None],
) -> Slice[T]:
    start = start_of(cursor)
    answer = call.get(path, {**params, "start": str(start), "limit": str(limit)})
    body = read_object(answer)
    count = len(remote_values.sequence(body.get("results")))
    return Slice(read_items(answer, body, read), next_start(body, start, count, limit))
