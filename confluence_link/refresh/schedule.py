"""When to refresh and when to try again. Pure functions; chance comes in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

# Inside Cloud's leeway of ten minutes, so that rotating never shortens the life of
# an access token that was handed out (facts A4).
MARGIN_SECONDS: Final = (5 * 60, 9 * 60)
EXCHANGE_SECONDS: Final = 30
# After a lease began, an exchange under it begins no later.
BEGIN_SECONDS: Final = 30
# A late exchange and a slow commit fit into one lease.
LEASE_SECONDS: Final = 75
# A slow first request may land after a fast second one; so there are no fast ones.
UNCERTAIN_GAP_SECONDS: Final = 30
UNCERTAIN_CAP_SECONDS: Final = 2 * 60
REFUSED_GAP_SECONDS: Final = 60
# Shorter than the ten minutes in which `verdict` counts suspects.
REFUSED_CAP_SECONDS: Final = 8 * 60
PATIENCE_SECONDS: Final = 15 * 60
# Nobody used it for so long: it rests, and is rotated this often at most, far inside
# the idle life of its refresh token (facts A4, B3: 90 days).
IDLE_AFTER: Final = timedelta(days=7)
IDLE_EVERY_DAYS: Final = (5.0, 7.0)
# Of the idle life, where it is short: leaves room for three more tries as late.
IDLE_SHARE: Final = (0.15, 0.25)
BACKOFF_SECONDS: Final = 15
BACKOFF_CAP_ALIVE_SECONDS: Final = 15 * 60
BACKOFF_CAP_EXPIRED_SECONDS: Final = 60 * 60


def refresh_at(
    *, now: datetime, expires_in_seconds: int, min_seconds: int, chance: Random
) -> datetime:
    """Expiry minus 5 to 9 minutes, or a quarter of a short life; never too soon."""
    margin = min(
        chance.uniform(*MARGIN_SECONDS),
        expires_in_seconds / 4 * chance.uniform(0.8, 1.0),
    )
    return now + timedelta(seconds=max(expires_in_seconds - margin, min_seconds))


def is_idle(*, now: datetime, used_at: datetime) -> bool:
    return now - used_at >= IDLE_AFTER


def idle_refresh_at(*, now: datetime, idle_days: float, chance: Random) -> datetime:
    """In 5 to 7 days, so that what was linked together does not stay together.

    At most a quarter of the idle life of the refresh token.
    """
    days = min(
        chance.uniform(*IDLE_EVERY_DAYS), idle_days * chance.uniform(*IDLE_SHARE)
    )
    return now + timedelta(days=days)


def try_again_at(
    *, now: datetime, failures: int, alive: bool, at_least: int, chance: Random
) -> datetime:
    """Full jitter: a random part of 15 s doubled with every failure, up to a cap."""
    cap = BACKOFF_CAP_ALIVE_SECONDS if alive else BACKOFF_CAP_EXPIRED_SECONDS
    step = min(cap, BACKOFF_SECONDS * 2 ** min(failures, 10))
    return now + timedelta(seconds=max(at_least, chance.uniform(0, step)))


def ask_again_at(*, now: datetime, refusals: int, chance: Random) -> datetime:
    """After a refusal: a minute, doubled with every further one, up to a cap.

    So the fifth comes when patience may decide, and a grant that is refused for
    longer is never out of sight of the guard against mass refusal.
    """
    gap = min(REFUSED_GAP_SECONDS * 2 ** min(refusals - 1, 10), REFUSED_CAP_SECONDS)
    return now + timedelta(seconds=gap + chance.uniform(0, 15))
