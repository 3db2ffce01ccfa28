"""The organization's home: how its links are, and what needs somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.tenancy import member_view
from confluence_link import charts
from confluence_link.models import (
    Event,
    LinkedSite,
    OrganizationTally,
    database_now,
)
from confluence_link.views.needs import needs_of

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet
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
    context = {
        "organization": membership.organization,
        "count": sum(counts.values()),
        "shares": charts.shares({name: counts.get(name, 0) for name in _CONDITIONS}),
        "strip_width": charts.STRIP_WIDTH,
        "chart": _chart(membership, now),
        "needs": needs_of(membership, now),
    }
    return render(request, "confluence_link/organization.html", context)


def _chart(membership: Membership, now: datetime) -> charts.RefreshChart:
    hours = charts.hours_of_last_day(now)
    refreshed = OrganizationTally.objects.refreshed_by_hour(membership, hours)
    return charts.refreshes(hours, refreshed, _events(membership, now))


def _events(membership: Membership, now: datetime) -> QuerySet[Event]:
    """Of the last day, and of grants since they were linked here.

    Before, they served others. Only where a site is younger than the chart each event
    is compared with it: of many thousands that would take most of a second.
    """
    sites = LinkedSite.objects.counted_for(membership).order_by()
    older = sites.filter(created_at__lte=now - timedelta(hours=charts.HOURS))
    visible = Event.objects.visible_to(membership.organization)
    return Event.objects.filter(grant__in=older.values("grant")) | visible.filter(
        grant__in=sites.values("grant")
    )
