"""The address of the next slice of a list that Confluence cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.paging import with_query

if TYPE_CHECKING:
    from django.http import HttpRequest


def slice_urls(request: HttpRequest, next_cursor: str) -> dict[str, str]:
    """For lists of Confluence: the far side names the next page and no other."""
    return {
        "next_url": with_query(request, cursor=next_cursor) if next_cursor else "",
        "first_url": with_query(request, cursor="") if "cursor" in request.GET else "",
    }
