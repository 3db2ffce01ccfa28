"""What Atlassian tells us, as values: the same classes for both deployments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Account:
    """A person at Atlassian: Cloud's account_id or Data Center's userKey."""

    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Site:
    """One Confluence. `site_id` is the cloud id, or the Data Center's base URL.

    `url` and `icon_url` are for people's browsers, and empty where the remote side
    said something that no browser should follow.
    """

    site_id: str
    name: str
    url: str
    icon_url: str
    scopes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "scopes": list(self.scopes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            site_id=data["site_id"],
            name=data["name"],
            url=data["url"],
            icon_url=data["icon_url"],
            scopes=tuple(data["scopes"]),
        )


@dataclass(frozen=True, slots=True)
class Space:
    """`url` is for people; calls use the id (Cloud) or the key (Data Center)."""

    space_id: str
    key: str
    name: str
    kind: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """`body` is storage format, and empty in lists.

    Cloud names a page's space by id and Data Center by key; the other one is empty
    where the answer does not tell it.
    """

    page_id: str
    title: str
    space_id: str
    space_key: str
    url: str
    body: str
    version: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A page that a search found. `excerpt` is plain text."""

    page_id: str
    title: str
    excerpt: str
    url: str
    space_name: str


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some items of a list, and the cursor of the next ones (empty: the end)."""

    items: tuple[T, ...]
    next_cursor: str
