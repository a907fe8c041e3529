"""Rate limits: `allowed` counts for all processes together, `TokenBucket` for one connection."""

import time
from functools import lru_cache

from django.db import connection
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from realtime.conf import config
from realtime.utils import redis_client
from realtime.utils.circuit_breaker import ServiceUnavailable, redis_breaker

# The table of models.RateCounter, in one statement, so that concurrent calls all count.
INCREMENT = """
INSERT INTO realtime_hitcount AS old (key, hits, expires_at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
  hits = CASE WHEN old.expires_at <= %s THEN excluded.hits ELSE old.hits + excluded.hits END,
  expires_at = CASE WHEN old.expires_at <= %s THEN excluded.expires_at ELSE old.expires_at END
RETURNING hits
"""


class TokenBucket:
    """A token bucket that holds `burst` tokens and regains `rate` tokens per second."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated_at")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._updated_at = float(burst), time.monotonic()

    def consume(self, cost: int = 1) -> bool:
        """Take `cost` tokens; return False, and take none, if fewer are left."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._updated_at) * self._rate)
        self._updated_at = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


def allowed(rate: RateLimitItem, *key: str, cost: int = 1) -> bool:
    """Count `cost` hits of `key`, and return whether they are within `rate`.

    Counts in Redis if it is configured, else in the database. While Redis is unavailable each process counts in its
    own memory, so that a client within the rate is never refused.
    """
    if not config().redis_url:
        return _hit_database(rate, *key, cost=cost)
    try:
        return redis_breaker.call(_redis_limiter().hit, rate, *key, cost=cost)
    except ServiceUnavailable:
        return _memory_limiter().hit(rate, *key, cost=cost)


def _hit_database(rate: RateLimitItem, *key: str, cost: int) -> bool:
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(INCREMENT, [rate.key_for(*key), cost, now + rate.get_expiry(), now, now])
        return int(cursor.fetchone()[0]) <= rate.amount


@lru_cache
def _redis_limiter() -> FixedWindowRateLimiter:
    connections = redis_client.pool(**redis_client.TIMEOUTS)
    prefix = f"{config().redis_prefix}:limits"
    return FixedWindowRateLimiter(RedisStorage(config().redis_url, connections, key_prefix=prefix))


@lru_cache
def _memory_limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())
