"""A Redis cache that falls back to memory, per process, while Redis is unavailable."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from realtime.utils.circuit_breaker import TIMEOUT, ServiceUnavailable, redis_breaker

OPTIONS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}


def _with_fallback(name: str) -> Callable[..., Any]:
    """Return the cache method `name` with a fallback to memory."""

    def method(self: "FallbackRedisCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return redis_breaker.call(getattr(super(FallbackRedisCache, self), name), *args, **kwargs)
        except ServiceUnavailable:
            return getattr(self.fallback, name)(*args, **kwargs)

    return method


class FallbackRedisCache(RedisCache):
    """A Redis cache with a fallback in memory."""

    add = _with_fallback("add")
    get = _with_fallback("get")
    set = _with_fallback("set")
    touch = _with_fallback("touch")
    delete = _with_fallback("delete")
    get_many = _with_fallback("get_many")
    has_key = _with_fallback("has_key")
    incr = _with_fallback("incr")
    set_many = _with_fallback("set_many")
    delete_many = _with_fallback("delete_many")
    clear = _with_fallback("clear")

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": OPTIONS})
        self.fallback = LocMemCache("redis-fallback", params)
