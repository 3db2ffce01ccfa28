"""The hourly budget of points that all customers of one app share.

Reference: https://developer.atlassian.com/cloud/confluence/rate-limiting/
"""

from __future__ import annotations

import threading

from sandbox.clock import Clock, timestamp
from sandbox.settings import CloudBehaviour

HOUR = 3600


class RateLimit:
    def __init__(self, behaviour: CloudBehaviour, clock: Clock) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = 0
        self._spent = 0

    def spend(self, points: int) -> bool:
        """False when the budget was gone before. It comes back all at once at
        the top of the hour."""
        with self._lock:
            hour = int(self._clock.now() // HOUR)
            if hour != self._hour:
                self._hour, self._spent = hour, 0
            allowed = self._spent < self._behaviour.points_per_hour
            self._spent += points
            return allowed

    @property
    def seconds_left(self) -> int:
        return int(HOUR - self._clock.now() % HOUR) + 1

    def headers(self) -> dict[str, str]:
        limit = self._behaviour.points_per_hour
        remaining = max(0, limit - self._spent)
        reset = (self._clock.now() // HOUR + 1) * HOUR
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": timestamp(reset),
            "X-RateLimit-NearLimit": str(remaining < limit / 5).lower(),
        }
