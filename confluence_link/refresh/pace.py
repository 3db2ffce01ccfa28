"""The pace at Cloud: how many exchanges a second one app may have, over all processes.

Each batch reserves the time that its exchanges take at that pace, one after the other,
in one column of the app's row. After an outage the pace grows from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from confluence_link.models import OAuthAppHealth
from confluence_link.refresh.schedule import BEGIN_SECONDS

if TYPE_CHECKING:
    from datetime import datetime

# A service that just came back gets the full pace after so long.
RAMP_SECONDS: Final = 60
# Whoever would have to wait for longer leaves it to a later sweep.
WAIT_SECONDS: Final = 20
# What a batch may wait, and all that it may then reserve.
AHEAD: Final = timedelta(seconds=WAIT_SECONDS + BEGIN_SECONDS)


@dataclass(frozen=True, slots=True)
class Turn:
    """When the first exchange of a batch may begin, and how fast the others follow."""

    wait_seconds: float
    per_second: float | None


UNPACED: Final = Turn(wait_seconds=0, per_second=None)


def per_second(health: OAuthAppHealth | None, now: datetime) -> float:
    """The operator's cap; less for a minute after the breaker closed."""
    cap: float = settings.CONFLUENCE_LINK_CLOUD_REFRESHES_PER_SECOND
    if health is None or health.recovered_at is None:
        return cap
    seconds = (now - health.recovered_at).total_seconds()
    return max(1.0, cap * min(1.0, seconds / RAMP_SECONDS))


def batch_size(per_second: float, *, most: int) -> int:
    """As many as find their turns within the time that a batch would wait itself."""
    return max(1, min(most, int(per_second * WAIT_SECONDS)))


def reserve(*, oauth_app_id: int, number: int, now: datetime) -> Turn | None:
    """The next free time for so many exchanges; None if it is too far away.

    Also None for several at an app that comes back: a message was sent before the
    breaker opened, and only a probe may ask now, which travels alone.
    """
    with transaction.atomic():
        health, _ = OAuthAppHealth.objects.select_for_update().get_or_create(
            oauth_app_id=oauth_app_id
        )
        begin = _next_free(health, now)
        wait_seconds = (begin - now).total_seconds()
        if wait_seconds > WAIT_SECONDS or (health.openings and number > 1):
            return None
        pace = per_second(health, now)
        # What has not begun by then is given back.
        seconds = min(number / pace, BEGIN_SECONDS)
        health.paced_until = begin + timedelta(seconds=seconds)
        health.save(update_fields=("paced_until",))
    return Turn(wait_seconds, pace)


def _next_free(health: OAuthAppHealth, now: datetime) -> datetime:
    """Now, if the clock was set back: nothing is ever reserved so far ahead."""
    reserved_until = health.paced_until or now
    return now if reserved_until > now + AHEAD else max(now, reserved_until)
