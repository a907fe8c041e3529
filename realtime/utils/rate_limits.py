"""Rate limits: shared by all processes (`allowed`), and a token bucket for one socket (`TokenBucket`)."""

import time
from functools import lru_cache

from limits import RateLimitItem
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from realtime.conf import config
from realtime.utils.circuit_breaker import TIMEOUT, ServiceUnavailable, redis_breaker


class TokenBucket:
    """A bucket of tokens: `burst` at once, `rate` a second."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), time.monotonic()

    def is_spent(self, cost: int = 1) -> bool:
        """Take so many tokens; say whether there were fewer, and take none then."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < cost:
            return True
        self._left -= cost
        return False


def allowed(rate: RateLimitItem, *who: str, cost: int = 1) -> bool:
    """Count `cost` of `who`, on all processes together, and say whether it is within `rate`.

    The counters are in Redis where there is one, else in the database. While Redis is away each process counts by
    itself: whoever is within a rate is never turned away for the want of counters.
    """
    if not config().redis_url:
        return _in_database(rate, *who, cost=cost)
    try:
        return redis_breaker.call(_in_redis().hit, rate, *who, cost=cost)
    except ServiceUnavailable:
        return _in_memory().hit(rate, *who, cost=cost)


def _in_database(rate: RateLimitItem, *who: str, cost: int) -> bool:
    from realtime.models import HitCount

    return HitCount.hit(rate.key_for(*who), seconds=rate.get_expiry(), cost=cost) <= rate.amount


@lru_cache
def _in_redis() -> FixedWindowRateLimiter:
    url = config().redis_url.replace("unix://", "redis+unix://", 1)
    prefix = f"{config().redis_prefix}:limits"
    return FixedWindowRateLimiter(
        storage_from_string(url, key_prefix=prefix, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    )


@lru_cache
def _in_memory() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())
