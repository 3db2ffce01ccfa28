"""The start page: what an operator looks at first, as numbers and one drawing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.contrib import admin
from django.db.models import Count, Min, Q
from django.urls import reverse

from confluence_link import charts, personal_data
from confluence_link.models import (
    Event,
    Grant,
    OAuthApp,
    OAuthAppTally,
    database_now,
)

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

# A due grant that waits longer than a few sweeps says that no worker runs.
OVERDUE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Tile:
    """One number, and the list behind it."""

    label: str
    count: int
    tone: str
    url: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that an operator should look into."""

    text: str
    url: str


def start_page(request: HttpRequest) -> HttpResponse:
    """Django's own start page, with the overview for whoever may see grants."""
    context = {}
    if request.user.has_perm("confluence_link.view_grant"):
        now = database_now()
        context = {
            "tiles": _tiles(),
            "chart": _chart(now),
            "troubles": _troubles(now),
        }
    return admin.site.index(request, extra_context=context)


def _chart(now: datetime) -> charts.RefreshChart:
    hours = charts.hours_of_last_day(now)
    refreshed = OAuthAppTally.objects.refreshed_by_hour(hours)
    return charts.refreshes(hours, refreshed, Event.objects.all())


def _tiles() -> list[Tile]:
    active, dead = (
        Q(status=Grant.Status.ACTIVE),
        Q(status=Grant.Status.RECONNECT_NEEDED),
    )
    troubled = Q(consecutive_failures__gt=0)
    numbers = Grant.objects.aggregate(
        connected=Count("pk", filter=active & ~troubled),
        trouble=Count("pk", filter=active & troubled),
        dead=Count("pk", filter=dead),
        paused=Count("pk", filter=Q(status=Grant.Status.PAUSED)),
        unlinked=Count("pk", filter=Q(status=Grant.Status.UNLINKED)),
    )
    url = reverse("admin:confluence_link_grant_changelist")
    return [
        Tile("connected", numbers["connected"], "good", f"{url}?status__exact=active"),
        Tile(
            "having trouble",
            numbers["trouble"],
            "warning" if numbers["trouble"] else "quiet",
            f"{url}?status__exact=active&o=-8",
        ),
        Tile(
            "reconnect needed",
            numbers["dead"],
            "bad" if numbers["dead"] else "quiet",
            f"{url}?status__exact=reconnect_needed",
        ),
        Tile("paused", numbers["paused"], "quiet", f"{url}?status__exact=paused"),
        Tile("unlinked", numbers["unlinked"], "quiet", f"{url}?status__exact=unlinked"),
    ]


# What needs somebody
# ------------------------------------------------------------------------------
def _troubles(now: datetime) -> list[Trouble]:
    return [
        *_refused_apps(),
        *_paused_apps(now),
        *_overdue(now),
        *_ending_certificates(now),
        *_unreported_apps(),
    ]


def _refused_apps() -> list[Trouble]:
    apps = OAuthApp.objects.filter(
        health__configuration_refused_since__isnull=False
    ).select_related("health")
    return [
        Trouble(
            f"{app.name}: its settings are refused since"
            f" {app.health.configuration_refused_since:%Y-%m-%d %H:%M} UTC"
            f" ({app.health.last_error}). Check client ID and secret.",
            _app_url(app),
        )
        for app in apps
    ]


def _paused_apps(now: datetime) -> list[Trouble]:
    apps = OAuthApp.objects.filter(
        health__paused_until__gt=now, health__configuration_refused_since=None
    ).select_related("health")
    return [
        Trouble(
            f"{app.name}: paused until {app.health.paused_until:%H:%M:%S} UTC after"
            f" {app.health.consecutive_failures} failures in a row"
            f" ({app.health.last_error}). It is probed by itself.",
            _app_url(app),
        )
        for app in apps
    ]


def _overdue(now: datetime) -> list[Trouble]:
    oldest = (
        Grant.objects.due(now)
        .order_by()
        .exclude(oauth_app__health__paused_until__gt=now)
        .aggregate(oldest=Min("refresh_at"))["oldest"]
    )
    if oldest is None or now - oldest < OVERDUE:
        return []
    minutes = int((now - oldest).total_seconds() // 60)
    url = reverse("admin:confluence_link_grant_changelist")
    return [
        Trouble(
            f"A grant has been due for {minutes} minutes. Check that a worker and beat"
            " are running.",
            f"{url}?status__exact=active&o=7",
        )
    ]


def _ending_certificates(now: datetime) -> list[Trouble]:
    return [
        Trouble(
            f"{app.name}: its client certificate"
            f" {'ended' if at <= now else 'ends'} at {at:%Y-%m-%d %H:%M} UTC."
            " Without a valid one the server is not reached. Enter a new one.",
            _app_url(app),
        )
        for app in OAuthApp.objects.with_ending_certificate(now)
        if (at := app.client_certificate_expires_at)
    ]


def _unreported_apps() -> list[Trouble]:
    return [
        Trouble(
            f"{app.name}: accounts are not reported to Atlassian since"
            f" {app.reporting_refused_at:%Y-%m-%d %H:%M} UTC. In the console, add the"
            " Personal data reporting API to the app; here, add the scope"
            " report:personal-data to it; then let one person reconnect.",
            _app_url(app),
        )
        for app in personal_data.unreported_apps()
    ]


def _app_url(app: OAuthApp) -> str:
    return reverse("admin:confluence_link_oauthapp_change", args=[app.pk])
