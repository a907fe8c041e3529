"""A Redis cache that falls back to memory, per process, while Redis is unavailable."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from realtime.utils import redis_client
from realtime.utils.circuit_breaker import ServiceUnavailable, redis_breaker


def _with_fallback(name: str) -> Callable[..., Any]:
    """Return the cache method `name` with a fallback to memory."""

    def method(self: "FallbackRedisCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return redis_breaker.call(getattr(super(FallbackRedisCache, self), name), *args, **kwargs)
        except ServiceUnavailable:
            return getattr(self.fallback, name)(*args, **kwargs)

    return method


class Client(RedisCacheClient):
    """Django's client, on the connections of REALTIME["REDIS_URL"]: a Sentinel may know its address."""

    def __init__(self, servers: Any, **options: Any) -> None:
        super().__init__(servers, **options)
        self._connections = redis_client.pool(**options)

    def _get_connection_pool(self, write: Any) -> Any:
        return self._connections


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
        super().__init__(server, {**params, "OPTIONS": redis_client.TIMEOUTS})
        self._class = Client
        self.fallback = LocMemCache("redis-fallback", params)
