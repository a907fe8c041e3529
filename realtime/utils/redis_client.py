"""The Redis connection of this process, and the names of the keys in it."""

from functools import lru_cache
from typing import Any

import redis

from realtime.conf import config
from realtime.utils.circuit_breaker import TIMEOUT


def connection() -> Any:
    """Return the connection pool of REALTIME["REDIS_URL"], shared by all threads."""
    return _connect(config().redis_url)


def script(text: str) -> Any:
    """Return a Lua script, registered with `connection`."""
    return _register(config().redis_url, text)


def key(name: str = "") -> str:
    """Return the full name of a key. The middle part is a stored format that releases share: never change it."""
    return f"{config().redis_prefix}:census:{name}"


@lru_cache(maxsize=4)
def _connect(url: str) -> Any:
    return redis.Redis.from_url(
        url, decode_responses=True, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, health_check_interval=30
    )


@lru_cache(maxsize=4)
def _register(url: str, text: str) -> Any:
    return _connect(url).register_script(text)
