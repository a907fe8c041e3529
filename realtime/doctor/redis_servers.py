"""Whether the Redis servers answer and accept writes, and what is wrong with their addresses."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import redis

from realtime.conf import config
from realtime.doctor.problem import Advice, Problem
from realtime.monitoring.effective_config import redact_url
from realtime.utils import redis_client

TIMEOUT = 3  # seconds
EXAMPLE = "redis://localhost:6379/0"
REASONS: Mapping[str, tuple[str, str]] = {
    "no master found": (
        "No Sentinel knows a master {host} that is up.",
        "Set REDIS_SENTINELS to the addresses of the Sentinels, and the host in REDIS_URL to the name they monitor.",
    ),
    "name or service not known|not known|name resolution": (
        "The host name {host} of Redis is unknown.",
        f"Set REDIS_URL to a host that exists, as in {EXAMPLE}.",
    ),
    "refused|no such file": (
        "Redis does not answer at {host}.",
        "Start it, or set REDIS_URL to its address, as in " + EXAMPLE + ".",
    ),
    "auth|password|wrongpass": (
        "Redis at {host} does not accept the password.",
        "Set REDIS_URL with the password, as in redis://:password@localhost:6379/0.",
    ),
    "read.?only": (
        "Redis at {host} is a read-only replica.",
        "Set REDIS_URL to the primary, or promote the replica.",
    ),
    "out of range": ("Redis at {host} has no database of this number.", "Set the number in REDIS_URL, usually 0."),
}


def check() -> str:
    """Return what the Redis servers answer. Raises Problem, and Advice about a Sentinel that does not answer."""
    if not config().redis_url:
        return "Redis is not configured; processes read the event log once a second"
    versions = [_check_server(url) for url in (config().redis_url, *config().redis_shards)]
    for address in config().redis_sentinels:
        _check_sentinel(address)
    if len(versions) > 1:
        return f"{len(versions)} Redis servers ({', '.join(versions)}) answer and accept writes"
    if config().redis_sentinels:
        return f"Redis {versions[0]}, the master of {len(config().redis_sentinels)} Sentinels, accepts writes"
    return f"Redis {versions[0]} answers and accepts writes"


def _check_server(url: str) -> str:
    """Return the version of a server that accepts writes. Raises Problem."""
    try:
        connections = redis_client.pool_of(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        with redis.Redis(connection_pool=connections) as client:
            client.set(f"{config().redis_prefix}:doctor", 1, px=1000)
            return str(client.info("server").get("redis_version", ""))
    except (redis.RedisError, OSError, ValueError) as error:
        raise explain(error, url) from None


def _check_sentinel(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        with redis.Redis(
            host.strip("[]"), int(port), socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
        ) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise Advice(
            f"The Sentinel {address} does not answer: {error}.",
            "Start it: with too few Sentinels there is no failover.",
        ) from None


def explain(error: BaseException, url: str = "") -> Problem:
    """Return what an error of Redis means for this installation's address."""
    url = url or config().redis_url
    host = urlsplit(url).netloc.rpartition("@")[2] or redact_url(url)
    for pattern, (found, fix) in REASONS.items():
        if re.search(pattern, str(error), re.IGNORECASE):
            return Problem(found.format(host=host), fix)
    return Problem(f"Redis does not answer at {host}: {error}.", f"Check REDIS_URL, as in {EXAMPLE}.")
