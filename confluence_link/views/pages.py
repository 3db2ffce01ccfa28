"""Spaces, pages and search of one linked site, and making a page there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from confluence_link import events
from confluence_link.atlassian import storage_format
from confluence_link.errors import ConfluenceLinkError
from confluence_link.forms import CreatePageForm
from confluence_link.models import Event
from confluence_link.views.outcomes import trouble_of
from confluence_link.views.paging import slice_urls
from confluence_link.views.site_page import Visit, site_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpResponse

    from confluence_link.atlassian import Page


@require_safe
@site_page("confluence_link/space.html")
def space(visit: Visit, space_key: str) -> dict[str, Any]:
    found = visit.client.space(space_key)
    pages = visit.client.pages_slice(found, cursor=visit.cursor)
    return {
        "space": found,
        "pages": pages.items,
        **slice_urls(visit.request, pages.next_cursor),
    }


@require_safe
@site_page("confluence_link/page.html")
def page(visit: Visit, page_id: str) -> dict[str, Any]:
    found = visit.client.page(page_id)
    return {"page": found, "body": storage_format.to_safe_html(found.body)}


@require_safe
@site_page("confluence_link/search.html")
def search(visit: Visit) -> dict[str, Any]:
    text = visit.request.GET.get("q", "").strip()
    if not text:
        return {"query": ""}
    hits = visit.client.search_slice(text, cursor=visit.cursor)
    return {
        "query": text,
        "hits": hits.items,
        **slice_urls(visit.request, hits.next_cursor),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@site_page("confluence_link/create_page.html")
def create_page(visit: Visit, space_key: str) -> Mapping[str, object] | HttpResponse:
    if visit.request.method != "POST":
        return {"form": CreatePageForm(), "space": visit.client.space(space_key)}
    form = CreatePageForm(visit.request.POST)
    if not form.is_valid():
        return {"form": form}
    sent = False
    try:
        found = visit.client.space(space_key)
        sent = True
        created = visit.client.create_page(found, form.cleaned_data["title"], form.body)
    except ConfluenceLinkError as error:
        # What was typed stays in the form. Before it is sent, no page is in doubt.
        return {"form": form, "trouble": trouble_of(error, creating=sent, typed=True)}
    _record(visit, created)
    messages.success(visit.request, f"The page “{created.title}” was created.")
    return redirect(
        "confluence_link:page",
        visit.membership.organization.slug,
        visit.site.public_id,
        created.page_id,
    )


def _record(visit: Visit, created: Page) -> None:
    assert isinstance(visit.request.user, User)
    events.record(
        Event.Kind.PAGE_CREATED,
        organization=visit.membership.organization,
        actor=visit.request.user,
        grant=visit.site.grant,
        site=visit.site.name,
        linked_site=visit.site.public_id,
        title=created.title,
        page_id=created.page_id,
    )
