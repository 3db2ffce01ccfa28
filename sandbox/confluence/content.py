"""Spaces and pages of one Confluence, in memory."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace

from sandbox.confluence.storage_format import text_of


@dataclass(frozen=True)
class Space:
    id: str
    key: str
    name: str
    created_at: float
    type: str = "global"
    status: str = "current"
    homepage_id: str | None = None


@dataclass(frozen=True)
class Page:
    id: str
    space: Space
    title: str
    storage: str = field(repr=False)
    author_id: str
    created_at: float
    modified_at: float
    parent_id: str | None = None
    status: str = "current"
    version: int = 1
    message: str = ""

    @property
    def text(self) -> str:
        return text_of(self.storage)


class TitleTaken(Exception):
    """A space holds each page title once."""


class VersionConflict(Exception):
    """An update must carry the version after the current one."""


class Confluence:
    """Ids count up from `first_id`, so that two sites share none."""

    def __init__(self, first_id: int) -> None:
        self._lock = threading.RLock()
        self._next_id = first_id
        self._spaces: dict[str, Space] = {}
        self._pages: dict[str, Page] = {}

    def add_space(self, *, key: str, name: str, at: float, type: str) -> Space:
        with self._lock:
            space = Space(self._new_id(), key, name, at, type=type)
            self._spaces[space.id] = space
            return space

    def set_homepage(self, space: Space, page: Page) -> Space:
        with self._lock:
            found = replace(self._spaces[space.id], homepage_id=page.id)
            self._spaces[space.id] = found
            return found

    def add_page(
        self,
        *,
        space: Space,
        title: str,
        storage: str,
        author_id: str,
        at: float,
        parent_id: str | None = None,
        status: str = "current",
    ) -> Page:
        with self._lock:
            if self._titled(space, title):
                raise TitleTaken(title)
            parent = parent_id or self._spaces[space.id].homepage_id
            page = Page(
                self._new_id(),
                space,
                title,
                storage,
                author_id,
                created_at=at,
                modified_at=at,
                parent_id=parent,
                status=status,
            )
            self._pages[page.id] = page
            return page

    def update_page(
        self, page: Page, *, title: str, storage: str, version: int, at: float
    ) -> Page:
        with self._lock:
            current = self._pages[page.id]
            if version != current.version + 1:
                raise VersionConflict
            found = replace(
                current, title=title, storage=storage, version=version, modified_at=at
            )
            self._pages[page.id] = found
            return found

    def delete_page(self, page: Page) -> None:
        with self._lock:
            self._pages.pop(page.id, None)

    def spaces(self) -> list[Space]:
        with self._lock:
            return list(self._spaces.values())

    def space(self, key_or_id: str) -> Space | None:
        with self._lock:
            by_key = (s for s in self._spaces.values() if s.key == key_or_id)
            return self._spaces.get(key_or_id) or next(by_key, None)

    def pages(self, space: Space | None = None) -> list[Page]:
        with self._lock:
            found = list(self._pages.values())
        return [p for p in found if space is None or p.space.id == space.id]

    def page(self, page_id: str) -> Page | None:
        with self._lock:
            return self._pages.get(page_id)

    def _titled(self, space: Space, title: str) -> bool:
        return any(page.title == title for page in self.pages(space))

    def _new_id(self) -> str:
        self._next_id += 1
        return str(self._next_id)
