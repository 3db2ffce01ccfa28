"""The organization's home: how its links are, and what needs somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.tenancy import member_view
from confluence_link import charts
from confluence_link.models import Event, LinkedSite, database_now
from confluence_link.views.needs import needs_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from accounts.models import Membership

# In the order of a strip from good to bad; the words of each are on its badge.
_CONDITIONS = (
    "connected",
    "trouble",
    "paused",
    "lost",
    "reconnect_needed",
    "disconnected",
)


@require_safe
@member_view
def organization(request: HttpRequest, membership: Membership) -> HttpResponse:
    now = database_now()
    sites = LinkedSite.objects.visible_to(membership)
    counts = sites.count_by_condition()
    grants = sites.order_by().values("grant")
    context = {
        "organization": membership.organization,
        "count": sum(counts.values()),
        "shares": charts.shares({name: counts.get(name, 0) for name in _CONDITIONS}),
        "strip_width": charts.STRIP_WIDTH,
        "chart": charts.refreshes_of_last_day(
            Event.objects.filter(grant__in=grants), now
        ),
        "needs": needs_of(membership, now),
    }
    return render(request, "confluence_link/organization.html", context)
