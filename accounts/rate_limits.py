"""How often something may be done: counted in the shared cache, by all processes."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from allauth.core.internal import ratelimit
from django.core.cache import cache

if TYPE_CHECKING:
    from django.http import HttpRequest

# Without its server, each process counts for itself; this many together still let
# no more through than one limit.
ALONE: Final = 4


def allow(action: str, *, key: str, limit: int, per_seconds: int) -> bool:
    """Counts one more; False once there are more than `limit` in `per_seconds`.

    `key` says who does it or to whom: an id, or `source_of` a request. Only a hash
    of it is stored. Refused tries count as well; who stops is let in again after
    about `per_seconds`.
    """
    window, seconds_in = divmod(time.time(), per_seconds)
    name = _name(action, key)
    count = _count(f"{name}:{window:.0f}", timeout=2 * per_seconds)
    # Of the window before, the part counts that is still less than `per_seconds` ago.
    before = min(cache.get(f"{name}:{window - 1:.0f}", 0), limit)
    if getattr(cache, "is_alone", False):
        limit = max(1, limit // ALONE)
    return bool(count + int(before * (1 - seconds_in / per_seconds)) <= limit)


def source_of(request: HttpRequest) -> str:
    """The address behind the trusted proxies; of IPv6, the network."""
    source: str = ratelimit.get_ip(request)
    return source


def _name(action: str, key: str) -> str:
    return f"rate:{action}:{hashlib.sha256(key.encode()).hexdigest()}"


def _count(name: str, *, timeout: int) -> int:
    """Adds one in one step of the cache, so that of two at once both count."""
    cache.add(name, 0, timeout)
    try:
        return int(cache.incr(name))
    except ValueError:
        # The server came or went between the two lines.
        cache.add(name, 1, timeout)
        return 1
