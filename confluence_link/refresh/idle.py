"""Grants that nobody uses: rotated weekly, and back in the hourly rhythm when used.

Weekly keeps both the idle life of a refresh token and the proof that it still works.
A use is a token asked for, whether or not a fresh one was there.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings

from confluence_link import atlassian
from confluence_link.models import Grant
from confluence_link.refresh import schedule

if TYPE_CHECKING:
    from datetime import datetime

    from confluence_link.refresh.claim import Held

_CHANCE: Final = random.SystemRandom()
# The last use is written at most this often; it orders, informs and wakes.
USED_EVERY: Final = timedelta(seconds=60)


def next_refresh_at(
    grant: Grant | Held, *, asked_at: datetime, expires_in_seconds: int
) -> datetime:
    """When to refresh after the answer that was asked for at `asked_at`."""
    hourly = _hourly(asked_at, expires_in_seconds)
    used_at = max(grant.last_used_at or grant.consented_at, grant.consented_at)
    is_idle = schedule.is_idle(now=asked_at, used_at=used_at)
    if not (settings.CONFLUENCE_LINK_IDLE_POLICY and is_idle):
        return hourly
    weekly = schedule.idle_refresh_at(
        now=asked_at,
        idle_days=atlassian.deployment_for(grant.oauth_app).idle_days,
        chance=_CHANCE,
    )
    return max(hourly, weekly)


def _hourly(asked_at: datetime, expires_in_seconds: float) -> datetime:
    return schedule.refresh_at(
        now=asked_at,
        expires_in_seconds=int(expires_in_seconds),
        min_seconds=settings.CONFLUENCE_LINK_MIN_REFRESH_SECONDS,
        chance=_CHANCE,
    )


def mark_used(grant: Grant, now: datetime) -> None:
    """Writes the use down, and ends the rest of an idle grant.

    Also of one that was planned by a refresh that did not know of the use yet.
    """
    if grant.last_used_at is None or now - grant.last_used_at > USED_EVERY:
        Grant.objects.filter(pk=grant.pk).update(last_used_at=now)
    if _rests(grant, now):
        _wake(grant, now)


def _rests(grant: Grant, now: datetime) -> bool:
    """Planned for after the end of its access token, and not because of a failure."""
    return grant.refresh_at > max(grant.expires_at, now) and not grant.last_error


def _wake(grant: Grant, now: datetime) -> None:
    life = (grant.expires_at - grant.last_rotated_at).total_seconds()
    # Only the plan that was read: an exchange meanwhile planned anew.
    as_read = Grant.objects.filter(
        pk=grant.pk, generation=grant.generation, refresh_at=grant.refresh_at
    )
    as_read.update(refresh_at=max(now, _hourly(grant.last_rotated_at, life)))
