"""What happened to a linked site's grant, as far as the organization may know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.tenancy import member_view
from confluence_link.models import Event
from confluence_link.views.event_words import entries
from confluence_link.views.paging import with_query
from confluence_link.views.site_page import site_context, site_of
from confluence_link.views.timeline_cursor import TimelineCursor

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership
    from confluence_link.models import LinkedSite

_EVENTS_PER_PAGE = 40


@require_safe
@member_view
def timeline(
    request: HttpRequest, membership: Membership, public_id: str
) -> HttpResponse:
    site = site_of(membership, public_id)
    cursor = TimelineCursor.parse(request.GET.get("before", ""))
    found = cursor.apply(_visible_events(site))[: _EVENTS_PER_PAGE + 1]
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


def _visible_events(site: LinkedSite) -> QuerySet[Event]:
    """A grant may serve several organizations: of the others nothing is shown.

    Nor is what the grant went through before this organization knew of it.
    """
    # Of the account's other sites nothing either: some of them may not be shared.
    here_or_all = Q(facts__linked_site=site.public_id) | ~Q(facts__has_key="site")
    of_grant = Event.objects.filter(here_or_all, grant=site.grant_id)
    ours = of_grant.filter(organization=site.organization_id)
    first = ours.order_by("at").first()
    since = first.at if first else site.created_at
    nobodys = Q(organization=None, at__gte=since)
    return of_grant.filter(
        Q(organization=site.organization_id) | nobodys
    ).select_related("actor")
