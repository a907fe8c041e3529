"""The Redis connections of this process, and the names of the keys in it.

With REALTIME["REDIS_SENTINELS"] the host in REALTIME["REDIS_URL"] is the name of a master, whose address the
Sentinels know: a new connection asks them, so that it leads to the new master after a failover.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.connection import SSLConnection, parse_url
from redis.sentinel import Sentinel, SentinelConnectionPool

from realtime.conf import config
from realtime.utils.circuit_breaker import TIMEOUT

TIMEOUTS = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}


def connection() -> Any:
    """Return the client of REALTIME["REDIS_URL"], whose connections all threads share."""
    return _connect(config().redis_url, config().redis_sentinels)


def script(text: str) -> Any:
    """Return a Lua script, registered with `connection`."""
    return _register(config().redis_url, config().redis_sentinels, text)


def key(name: str = "") -> str:
    """Return the full name of a key. The middle part is a stored format that releases share: never change it."""
    return f"{config().redis_prefix}:census:{name}"


def pool(**options: Any) -> redis.ConnectionPool:
    """Return new connections to the configured server, with these options beside those of its URL."""
    return pool_of(config().redis_url, **options)


def pool_of(url: str, **options: Any) -> redis.ConnectionPool:
    """Return new connections to the server of a URL, or to the master that its host names."""
    return _pool(url, config().redis_sentinels, **options)


def layer_host(url: str, sentinels: Sequence[str]) -> Any:
    """Return a server as `hosts` of RedisPubSubChannelLayer lists it."""
    if not sentinels:
        return url
    return {
        "master_name": _master_name(url),
        "sentinels": _addresses(sentinels),
        "sentinel_kwargs": TIMEOUTS,
        "socket_connect_timeout": TIMEOUT,
        **_options_of(url),
    }


@lru_cache(maxsize=4)
def _connect(url: str, sentinels: tuple[str, ...]) -> Any:
    options = {"decode_responses": True, "health_check_interval": 30, **TIMEOUTS}
    return redis.Redis(connection_pool=_pool(url, sentinels, **options))


@lru_cache(maxsize=4)
def _register(url: str, sentinels: tuple[str, ...], text: str) -> Any:
    return _connect(url, sentinels).register_script(text)


def _pool(url: str, sentinels: Sequence[str], **options: Any) -> redis.ConnectionPool:
    if not sentinels:
        return redis.ConnectionPool.from_url(url, **options)
    manager: Any = Sentinel(_addresses(sentinels), sentinel_kwargs=TIMEOUTS)  # type: ignore[no-untyped-call]
    own = _options_of(url) | options
    return SentinelConnectionPool(_master_name(url), manager, **own)  # type: ignore[no-untyped-call]


def _addresses(sentinels: Sequence[str]) -> list[tuple[str, int]]:
    return [(host.strip("[]"), int(port)) for host, _, port in (each.rpartition(":") for each in sentinels)]


def _master_name(url: str) -> str:
    """Return the host of a URL as it is written: `hostname` would be in lower case."""
    return urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]


_parse: Any = parse_url  # without annotations


def _options_of(url: str) -> dict[str, Any]:
    """Return password, number of the database and the like."""
    options = {name: value for name, value in _parse(url).items() if name not in ("host", "port")}
    return options | {"ssl": True} if options.pop("connection_class", None) is SSLConnection else options
