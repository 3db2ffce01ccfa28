"""The shared cache; while it is away, each process remembers for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable


def _or_local(name: str) -> Callable[..., Any]:
    def method(self: SteadyCache, *args: Any, **kwargs: Any) -> Any:
        try:
            answer = getattr(RedisCache, name)(self, *args, **kwargs)
        except RedisError:
            self.is_alone = True
            return getattr(self.local, name)(*args, **kwargs)
        self.is_alone = False
        return answer

    return method


class SteadyCache(RedisCache):
    """Signing in counts its attempts here, and must work without Redis.

    Locally the counts go on, one per process: limits are never off. `is_alone` says
    whether the last answer was the process's own, so that limits can be stricter.
    """

    is_alone = False

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # Many entries: nobody shall push a count out by making others.
        options = {"OPTIONS": {"MAX_ENTRIES": 100_000}}
        self.local = LocMemCache("while-redis-is-away", options)

    add = _or_local("add")
    get = _or_local("get")
    set = _or_local("set")
    touch = _or_local("touch")
    delete = _or_local("delete")
    incr = _or_local("incr")
    has_key = _or_local("has_key")
    get_many = _or_local("get_many")
    set_many = _or_local("set_many")
    delete_many = _or_local("delete_many")
    clear = _or_local("clear")
