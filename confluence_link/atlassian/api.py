"""ConfluenceApi: the calls that both deployments have, and what they share.

Each call makes one request and raises what `Call` raises; trying again is the
client's business.
"""

from __future__ import annotations

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from confluence_link.atlassian import remote_values
from confluence_link.atlassian.answers import read_object, untrusted
from confluence_link.atlassian.values import Page, SearchHit, Slice, Space
from confluence_link.errors import NotFound

if TYPE_CHECKING:
    from confluence_link.atlassian.call import Call
    from confluence_link.atlassian.values import Account
    from confluence_link.http import Answer

T = TypeVar("T")

NUMERIC_ID = re.compile(r"[0-9]{1,20}")
# One or two dots alone would name another place in a path.
SPACE_KEY = re.compile(r"(?!\.{1,2}\Z)[\w.~@:+-]{1,255}")
EXCERPT_LENGTH = 500
# Confluence marks found words like this, in plain text.
_HIGHLIGHT = re.compile(r"@@@(?:end)?hl@@@")


class ConfluenceApi(ABC):
    def __init__(self, people_url: str, context_path: str) -> None:
        """`people_url` is where Confluence's own pages begin; it may be empty."""
        self._people_url = people_url
        self._context_path = context_path

    @abstractmethod
    def current_user(self, call: Call) -> Account:
        """Raises `NotPermitted` if the server takes us for nobody."""

    @abstractmethod
    def spaces(self, call: Call, cursor: str, limit: int) -> Slice[Space]: ...

    @abstractmethod
    def space(self, call: Call, key_or_id: str) -> Space: ...

    @abstractmethod
    def space_to_call(self, call: Call, key_or_id: str) -> Space:
        """As much of a space as `pages` and `create_page` need."""

    @abstractmethod
    def pages(
        self, call: Call, space: Space, cursor: str, limit: int
    ) -> Slice[Page]: ...

    @abstractmethod
    def page(self, call: Call, page_id: str) -> Page: ...

    @abstractmethod
    def search(
        self, call: Call, cql: str, cursor: str, limit: int
    ) -> Slice[SearchHit]: ...

    @abstractmethod
    def create_page(
        self, call: Call, space: Space, title: str, body: str, parent_id: str
    ) -> Page:
        """`body` is storage format. A title that the space has is a `Conflict`."""

    @abstractmethod
    def _page(self, value: object) -> Page | None: ...

    def _read_page(self, answer: Answer) -> Page:
        page = self._page(read_object(answer))
        if page is None:
            raise untrusted(answer)
        return page

    def _page_in(
        self, item: Mapping[str, object], *, space_id: object, space_key: object
    ) -> Page | None:
        page_id = remote_values.identifier(item.get("id"), NUMERIC_ID)
        if not page_id:
            return None
        return Page(
            page_id=page_id,
            title=remote_values.name(item.get("title")),
            space_id=remote_values.identifier(space_id, NUMERIC_ID),
            space_key=remote_values.identifier(space_key, SPACE_KEY),
            url=self._link(webui(item), page_path(page_id)),
            body=_stored_body(item),
            version=_version(item),
        )

    def _space_at(self, value: object, path: str) -> Space | None:
        """`path` leads people to a space by its key."""
        item = remote_values.mapping(value)
        key = remote_values.identifier(item.get("key"), SPACE_KEY)
        if not key:
            return None
        return Space(
            space_id=remote_values.identifier(item.get("id"), NUMERIC_ID),
            key=key,
            name=remote_values.name(item.get("name")) or key,
            kind=remote_values.name(item.get("type")),
            url=self._link(webui(item), path + quote(key, safe="~")),
        )

    def _link(self, path: object, otherwise: str) -> str:
        """Where people look at a thing: the remote path on the site's own address.

        Paths begin behind the site's context path, or with it: both are taken.
        """
        if not self._people_url:
            return ""
        known = remote_values.link_path(path) or otherwise
        if self._context_path and known.startswith(f"{self._context_path}/"):
            known = known.removeprefix(self._context_path)
        return self._people_url + known

    def _hit(self, value: object) -> SearchHit | None:
        """One result of API v1's search, or of its content search; pages only."""
        result = remote_values.mapping(value)
        content = remote_values.mapping(result.get("content")) or result
        page_id = remote_values.identifier(content.get("id"), NUMERIC_ID)
        if not page_id:
            return None
        path = result.get("url") or webui(content)
        title = plain(result.get("title")) or plain(content.get("title"))
        return SearchHit(
            page_id=page_id,
            title=title,
            excerpt=plain(result.get("excerpt"), EXCERPT_LENGTH),
            url=self._link(path, page_path(page_id)),
            space_name=_space_name(result, content),
        )


def _space_name(*places: Mapping[str, object]) -> str:
    for place in places:
        container = remote_values.mapping(place.get("resultGlobalContainer"))
        space = remote_values.mapping(place.get("space"))
        if name := plain(container.get("title")) or plain(space.get("name")):
            return name
    return ""


def plain(value: object, length: int = remote_values.NAME_LENGTH) -> str:
    """What is written for HTML pages, as plain text on one line."""
    if not isinstance(value, str):
        return ""
    # Cut before unescaping: that refuses numbers of thousands of digits.
    text = html.unescape(_HIGHLIGHT.sub("", value[: 4 * length]))
    return remote_values.name(text, length)


def webui(item: Mapping[str, object]) -> object:
    return remote_values.mapping(item.get("_links")).get("webui")


def page_path(page_id: str) -> str:
    """Leads to a page on either deployment."""
    return f"/pages/viewpage.action?pageId={page_id}"


def read_items(
    answer: Answer, body: Mapping[str, object], read: Callable[[object], T | None]
) -> tuple[T, ...]:
    """The results that can be used; an answer without a list is not one."""
    results = body.get("results")
    if not isinstance(results, list):
        raise untrusted(answer)
    found = (read(result) for result in results)
    return tuple(item for item in found if item is not None)


def checked_page_id(page_id: str) -> str:
    """It becomes a part of a path."""
    if not NUMERIC_ID.fullmatch(page_id):
        raise NotFound(404)
    return page_id


def checked_space_key(key: str) -> str:
    if not SPACE_KEY.fullmatch(key):
        raise NotFound(404)
    return key


def _stored_body(content: Mapping[str, object]) -> str:
    body = remote_values.mapping(content.get("body"))
    storage = remote_values.mapping(body.get("storage"))
    return remote_values.document(storage.get("value"))


def _version(content: Mapping[str, object]) -> int:
    version = remote_values.mapping(content.get("version"))
    return remote_values.number(version.get("number"))
