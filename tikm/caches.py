"""The cache in Redis, as pages can rely on it: while Redis is away each process keeps its own in memory."""

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from realtime.utils.circuit_breaker import TIMEOUT, ServiceUnavailable, redis_breaker

OPTIONS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}


def _outlives_redis(name: str) -> Callable[..., Any]:
    """Return the method `name` of a cache, which asks this process's memory where Redis does not answer."""

    def method(self: "OutlivingCache", *args: Any, **kwargs: Any) -> Any:
        try:
            return redis_breaker.call(getattr(super(OutlivingCache, self), name), *args, **kwargs)
        except ServiceUnavailable:
            return getattr(self.meanwhile, name)(*args, **kwargs)

    return method


class OutlivingCache(RedisCache):
    """Redis's cache, which outlives Redis."""

    add = _outlives_redis("add")
    get = _outlives_redis("get")
    set = _outlives_redis("set")
    touch = _outlives_redis("touch")
    delete = _outlives_redis("delete")
    get_many = _outlives_redis("get_many")
    has_key = _outlives_redis("has_key")
    incr = _outlives_redis("incr")
    set_many = _outlives_redis("set_many")
    delete_many = _outlives_redis("delete_many")
    clear = _outlives_redis("clear")

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, {**params, "OPTIONS": OPTIONS})
        self.meanwhile = LocMemCache("while Redis is away", params)
