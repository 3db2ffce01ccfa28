"""The breaker of an app: it pauses what fails for everyone, and probes.

It opens at five failures in a row, or at the first refusal of our configuration;
then there is one probe after 30 s, each minute for the leeway, and up to 5 min later,
until one succeeds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from confluence_link import events
from confluence_link.models import Event, Grant, OAuthAppHealth
from confluence_link.refresh.schedule import UNCERTAIN_GAP_SECONDS

if TYPE_CHECKING:
    from datetime import datetime

    from confluence_link.models import OAuthApp
    from confluence_link.refresh.exchange import Failure

FAILURES_TO_OPEN: Final = 5
PAUSE_SECONDS: Final = 30
# Answers that were lost when the outage began can be asked for again inside Cloud's
# leeway of ten minutes (facts A4), so the end of a shorter outage must not be missed.
BRISK_PAUSE_SECONDS: Final = 60
# With the wait for a sweep after each pause, they are as long as the leeway.
BRISK_OPENINGS: Final = 8
PAUSE_CAP_SECONDS: Final = 5 * 60
# A success is written to the app's row at most this often: it is a hot row.
SUCCESS_EVERY: Final = timedelta(seconds=30)


def app_answered(oauth_app: OAuthApp, failure: Failure, *, now: datetime) -> None:
    """Counts a failure; opens the breaker, or keeps a rate limit's pause."""
    if failure.answer in {"refused", "undecryptable"}:
        return
    with transaction.atomic():
        health, _ = OAuthAppHealth.objects.select_for_update().get_or_create(
            oauth_app=oauth_app
        )
        health.last_error, health.last_error_at = failure.error, now
        if failure.answer == "busy":
            _pause(health, now, failure.retry_after_seconds or PAUSE_SECONDS)
        else:
            _count(health, failure, now)
        health.probing_until = None
        health.save()


def _count(health: OAuthAppHealth, failure: Failure, now: datetime) -> None:
    health.consecutive_failures += 1
    refused = failure.answer == "configuration"
    if refused and health.configuration_refused_since is None:
        health.configuration_refused_since = now
        events.record(
            Event.Kind.CONFIGURATION_REFUSED,
            oauth_app=health.oauth_app,
            error=failure.error,
        )
    paused = health.is_paused(now)
    if not paused and (refused or health.consecutive_failures >= FAILURES_TO_OPEN):
        _pause(health, now, _pause_seconds(health.openings))
        health.openings += 1


def _pause_seconds(openings: int) -> int:
    """How long, after so many of them."""
    if not openings:
        return PAUSE_SECONDS
    doublings = min(max(0, openings - BRISK_OPENINGS), 8)
    return min(PAUSE_CAP_SECONDS, BRISK_PAUSE_SECONDS << doublings)


def _pause(health: OAuthAppHealth, now: datetime, seconds: float) -> None:
    until = now + timedelta(seconds=seconds)
    health.paused_until = max(health.paused_until or until, until)


def app_succeeded(oauth_app: OAuthApp, *, now: datetime) -> None:
    """Closes the breaker, and lets those that waited for it try again soon.

    A pause goes on: the success may have been under way when a rate limit began.
    """
    health = OAuthAppHealth.objects.filter(oauth_app=oauth_app).first()
    if health is None:
        OAuthAppHealth.objects.get_or_create(
            oauth_app=oauth_app, defaults={"last_success_at": now}
        )
        return
    recent = health.last_success_at and now - health.last_success_at < SUCCESS_EVERY
    if recent and not health.openings and not health.consecutive_failures:
        return
    _close(health, now, last_success_at=now)


def settings_accepted(oauth_app: OAuthApp, *, now: datetime) -> None:
    """After a code was exchanged, which proves nothing about refresh tokens."""
    refused = OAuthAppHealth.objects.filter(
        oauth_app=oauth_app, configuration_refused_since__isnull=False
    )
    for health in refused:
        _close(health, now)


@transaction.atomic
def _close(health: OAuthAppHealth, now: datetime, **also: datetime) -> None:
    if health.openings:
        also["recovered_at"] = now
    OAuthAppHealth.objects.filter(pk=health.pk).update(
        consecutive_failures=0,
        openings=0,
        configuration_refused_since=None,
        probing_until=None,
        **also,
    )
    if health.configuration_refused_since is not None:
        events.record(Event.Kind.CONFIGURATION_ACCEPTED, oauth_app=health.oauth_app)
    if health.openings:
        _end_backoffs(health.oauth_app, now)


def _end_backoffs(oauth_app: OAuthApp, now: datetime) -> None:
    """What waited because of the outage is due now, and so has its place in the order.

    The pace of the app, which grows from nothing, spreads it. Not what failed a moment
    ago: its own exchange may still be under way.
    """
    gap = timedelta(seconds=UNCERTAIN_GAP_SECONDS)
    Grant.objects.filter(
        ~Q(last_error=""),
        last_error_at__lte=now - gap,
        oauth_app=oauth_app,
        status=Grant.Status.ACTIVE,
        refusals=0,
        refresh_at__gt=now,
    ).update(refresh_at=now)


def is_paused(oauth_app: OAuthApp, *, now: datetime) -> bool:
    return OAuthAppHealth.objects.filter(
        oauth_app=oauth_app, paused_until__gt=now
    ).exists()
