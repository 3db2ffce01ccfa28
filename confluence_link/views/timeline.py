"""What happened to a linked site's grant, as far as the organization may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.paging import with_query
from accounts.tenancy import member_view
from confluence_link.models import Event
from confluence_link.views.event_words import entries
from confluence_link.views.site_page import site_context, site_of
from confluence_link.views.timeline_cursor import TimelineCursor

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

_EVENTS_PER_PAGE = 40


@require_safe
@member_view
def timeline(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    site = site_of(membership, public_id)
    cursor = TimelineCursor.parse(request.GET.get("before", ""))
    events_of_grant = (
        Event.objects.visible_to(membership.organization)
        .about(site)
        .select_related("actor")
    )
    found = cursor.apply(events_of_grant)[: _EVENTS_PER_PAGE + 1]
    events = list(found)
    shown = events[:_EVENTS_PER_PAGE]
    before = cursor.after(shown) if len(events) > _EVENTS_PER_PAGE else ""
    context = {
        **site_context(site, membership),
        "entries": entries(shown, owner_id=site.grant.user_id),
        "next_url": with_query(request, before=before) if before else "",
        "first_url": request.path if "before" in request.GET else "",
    }
    return render(request, "confluence_link/timeline.html", context)
