"""What the URL configuration really has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import URLPattern, get_resolver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.urls import URLResolver


def all_routes() -> list[tuple[str, str]]:
    """Name, with its name space, and pattern of every route."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, before: str, space: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield f"{space}{entry.name}", pattern
        else:
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry, pattern, inner)
