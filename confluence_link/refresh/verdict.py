"""What a failure means for the grant, and when it is death.

Dead needs proof (design 6, I5): refused twice a minute apart, while the other side
takes another grant's token, and never when many grants are refused at once. A success
before the first refusal is no proof: every outage is preceded by one.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from confluence_link import atlassian, events
from confluence_link.models import Event, Grant, OAuthAppHealth, database_now
from confluence_link.refresh import breaker, schedule
from confluence_link.refresh.contention import patiently

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from confluence_link.models import OAuthApp
    from confluence_link.refresh.exchange import Failure

_CHANCE: Final = random.SystemRandom()
SUSPECT: Final = timedelta(minutes=10)
SUSPECTS_AT_LEAST: Final = 5
# In an app with fewer grants, hardly another one succeeds meanwhile: time decides.
SMALL_APP: Final = 5
SUSPECTS_SHARE: Final = 0.02
# How long a mass refusal is one event.
MASS_REFUSAL_EVERY: Final = timedelta(hours=1)


def grant_failed(*, grant: Grant, lease_id: UUID, failure: Failure) -> bool:
    """Ends the lease with what the answer means; True if the grant is dead now."""
    now = database_now()
    reason = patiently(lambda: _written(grant, lease_id, failure, now))
    if reason is None:
        return False
    # On its own: the lease is over, and would not be found again.
    patiently(lambda: breaker.app_answered(grant.oauth_app, failure, now=now))
    return bool(reason)


@transaction.atomic
def _written(
    grant: Grant, lease_id: UUID, failure: Failure, now: datetime
) -> str | None:
    """The reason of its death, empty if it lives; None if the lease is not ours."""
    row = (
        Grant.objects.select_for_update()
        .filter(lease_id=lease_id, pk=grant.pk, epoch=grant.epoch)
        .exclude(status=Grant.Status.UNLINKED)
        .first()
    )
    if row is None:
        return None
    row.oauth_app = grant.oauth_app
    _apply(row, failure, now)
    reason = _death(row, now) if failure.answer == "refused" else ""
    if reason:
        _declare_dead(row, reason)
    row.save()
    return reason


def _apply(grant: Grant, failure: Failure, now: datetime) -> None:
    """Clears the lease; writes the failure and the time of the next try."""
    first = grant.last_error == ""
    uncertain_before = _was_uncertain(grant)
    grant.lease_id = grant.lease_until = grant.queued_until = None
    grant.last_error, grant.last_error_at = failure.error, now
    # An uncertain exchange keeps its intent; so does a refusal after one, because it
    # tells why. Every other answer proves that nothing was rotated this time.
    if failure.answer != "uncertain" and not uncertain_before:
        grant.uncertain_since = None
    # Our configuration and their traffic rules are no fault of the grant.
    if failure.answer not in {"configuration", "busy"}:
        grant.consecutive_failures += 1
    if failure.answer == "refused":
        grant.refusals += 1
        grant.first_refused_at = grant.first_refused_at or now
        grant.last_refused_at = now
    grant.refresh_at = _next_try(grant, failure, now)
    if first:
        events.record(
            Event.Kind.REFRESH_FAILED,
            grant=grant,
            answer=failure.answer,
            error=failure.error,
        )


def _was_uncertain(grant: Grant) -> bool:
    """An exchange of this generation before the present lease may have happened."""
    if grant.uncertain_since is None or grant.lease_until is None:
        return False
    leased_at = grant.lease_until - timedelta(seconds=schedule.LEASE_SECONDS)
    return grant.uncertain_since < leased_at


def _next_try(grant: Grant, failure: Failure, now: datetime) -> datetime:
    if failure.answer == "refused":
        return schedule.ask_again_at(now=now, refusals=grant.refusals, chance=_CHANCE)
    # Settings that are refused are no failure of the grant, but one that they are
    # refused for alone must leave the probes to the others.
    is_ours = failure.answer == "configuration"
    again = schedule.try_again_at(
        now=now,
        failures=grant.attempt if is_ours else grant.consecutive_failures,
        alive=grant.expires_at > now,
        at_least=schedule.UNCERTAIN_GAP_SECONDS if failure.answer == "uncertain" else 1,
        chance=_CHANCE,
    )
    if failure.retry_after_seconds is not None:
        again = max(again, now + timedelta(seconds=failure.retry_after_seconds))
    if failure.answer == "uncertain" and _is_inside_leeway(grant, now):
        # Afterwards a lost answer is a lost grant, so there is room for five tries.
        again = min(again, now + timedelta(seconds=schedule.UNCERTAIN_CAP_SECONDS))
    return again


def _is_inside_leeway(grant: Grant, now: datetime) -> bool:
    """Whether the exchange in doubt can still be repeated, if it did happen."""
    seconds = atlassian.deployment_for(grant.oauth_app).leeway_seconds
    since = grant.uncertain_since
    return since is not None and now - since < timedelta(seconds=seconds)


def _death(grant: Grant, now: datetime) -> str:
    """The reason if the refusals prove that the grant is dead, else empty."""
    assert grant.first_refused_at is not None
    asked = now - grant.first_refused_at
    if grant.refusals < 2 or asked < timedelta(seconds=schedule.REFUSED_GAP_SECONDS):
        return ""
    if not _is_past_its_end(grant, now):
        if _is_mass_refusal(grant, now):
            return ""
        if not (_others_succeed(grant) or _is_patience_over(grant, asked)):
            _call_a_witness(grant, now)
            return ""
    return _reason(grant, now)


def _is_past_its_end(grant: Grant, now: datetime) -> bool:
    """Nobody expects a token to be taken that was not exchanged for so long."""
    idle_days = atlassian.deployment_for(grant.oauth_app).idle_days
    return now - grant.last_rotated_at >= timedelta(days=idle_days)


def _others_succeed(grant: Grant) -> bool:
    """Others, because a success of its own would have ended the refusals."""
    return OAuthAppHealth.objects.filter(
        oauth_app_id=grant.oauth_app_id, last_success_at__gt=grant.first_refused_at
    ).exists()


def _call_a_witness(grant: Grant, now: datetime) -> None:
    """Makes another grant of the app due, unless one soon is by itself.

    Where most are idle, it might take days until another one succeeds. One witness for
    each refusal, and none in a mass refusal, which ends here before: this cannot grow.
    """
    others = _active(grant).filter(refusals=0, last_error="")
    soon = now + timedelta(seconds=schedule.REFUSED_CAP_SECONDS)
    if others.filter(refresh_at__lte=soon).exists():
        return
    rotated = timedelta(seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS)
    rested = others.filter(last_rotated_at__lte=now - rotated)
    witness = rested.order_by("refresh_at").first()
    if witness is not None:
        Grant.objects.filter(
            pk=witness.pk, refresh_at=witness.refresh_at, last_error=""
        ).update(refresh_at=now)


def _is_patience_over(grant: Grant, asked: timedelta) -> bool:
    enough = asked >= timedelta(seconds=schedule.PATIENCE_SECONDS)
    is_small = _active(grant)[:SMALL_APP].count() < SMALL_APP
    return is_small and grant.refusals >= 3 and enough


def _active(grant: Grant) -> QuerySet[Grant]:
    """All grants of the same app that are in use."""
    return Grant.objects.filter(
        oauth_app_id=grant.oauth_app_id, status=Grant.Status.ACTIVE
    )


def _is_mass_refusal(grant: Grant, now: datetime) -> bool:
    """Many refused at once is an outage or our fault, never mass revocation.

    Those that just died of it count as well, or each death would make room for the
    next one.
    """
    others = Grant.objects.filter(
        oauth_app_id=grant.oauth_app_id,
        refusals__gt=0,
        last_refused_at__gt=now - SUSPECT,
    )
    in_use = others.exclude(status=Grant.Status.UNLINKED)
    suspects = 1 + in_use.exclude(pk=grant.pk).count()
    # Counted no further than it matters: an app may have a million.
    enough = int(suspects / SUSPECTS_SHARE)
    if suspects < SUSPECTS_AT_LEAST or _active(grant)[: enough + 1].count() > enough:
        return False
    _tell_of_mass_refusal(grant.oauth_app, now, suspects)
    return True


def _tell_of_mass_refusal(oauth_app: OAuthApp, now: datetime, suspects: int) -> None:
    told = Event.objects.filter(
        kind=Event.Kind.MASS_REFUSAL,
        oauth_app=oauth_app,
        at__gt=now - MASS_REFUSAL_EVERY,
    )
    if not told.exists():
        events.record(Event.Kind.MASS_REFUSAL, oauth_app=oauth_app, suspects=suspects)


def _reason(grant: Grant, now: datetime) -> Grant.DeathReason:
    absolute = atlassian.deployment_for(grant.oauth_app).absolute_days
    if absolute and now - grant.consented_at >= timedelta(days=absolute):
        return Grant.DeathReason.ABSOLUTE_EXPIRED
    if _is_past_its_end(grant, now):
        return Grant.DeathReason.IDLE_EXPIRED
    if grant.uncertain_since is not None:
        return Grant.DeathReason.ROTATION_LOST
    return Grant.DeathReason.REVOKED


def _declare_dead(grant: Grant, reason: str) -> None:
    grant.status = Grant.Status.RECONNECT_NEEDED
    grant.death_reason = reason
    events.record(Event.Kind.RECONNECT_NEEDED, grant=grant, reason=reason)
