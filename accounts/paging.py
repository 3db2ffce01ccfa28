"""The addresses of the pages before and after the one that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.core.paginator import Page
    from django.http import HttpRequest


def numbered_urls(
    request: HttpRequest, page: Page[Any], parameter: str = "page"
) -> dict[str, str]:
    after = page.number + 1 if page.has_next() else 0
    before = page.number - 1 if page.has_previous() else 0
    return {
        "next_url": with_query(request, **{parameter: str(after)}) if after else "",
        "previous_url": (
            with_query(request, **{parameter: str(before)}) if before else ""
        ),
    }


def with_query(request: HttpRequest, **changes: str) -> str:
    """This page's address with some parameters changed; empty ones are left out."""
    query = request.GET.copy()
    for name, value in changes.items():
        query[name] = value
        if not value:
            del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path
