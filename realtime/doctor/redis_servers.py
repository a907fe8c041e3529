"""Whether Redis answers and accepts writes, and what is wrong with its address."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import redis

from realtime.conf import config
from realtime.doctor.problem import Problem
from realtime.monitoring.effective_config import redact_url

TIMEOUT = 3  # seconds
EXAMPLE = "redis://localhost:6379/0"
REASONS: Mapping[str, tuple[str, str]] = {
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
    """Return what Redis answers. Raises Problem."""
    url = config().redis_url
    if not url:
        return "Redis is not configured; processes read the event log once a second"
    key = f"{config().redis_prefix}:doctor"
    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT) as client:
            client.set(key, 1, px=1000)
            version = client.info("server").get("redis_version", "")
    except (redis.RedisError, OSError, ValueError) as error:
        raise explain(error) from None
    return f"Redis {version} answers and accepts writes"


def explain(error: BaseException) -> Problem:
    """Return what an error of Redis means for this installation's address."""
    host = urlsplit(config().redis_url).netloc.rpartition("@")[2] or redact_url(config().redis_url)
    for pattern, (found, fix) in REASONS.items():
        if re.search(pattern, str(error), re.IGNORECASE):
            return Problem(found.format(host=host), fix)
    return Problem(f"Redis does not answer at {host}: {error}.", f"Check REDIS_URL, as in {EXAMPLE}.")
