"""How much is too much: sizes, counts and rates that bound one socket and one person."""

import time
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

MAX_FRAME = 16 * 1024  # bytes a client may send in one frame
MAX_EVENT = 10 * 1024  # bytes of one event's data (Pusher: 10 KB)
MAX_CHANNEL_NAME = 164  # characters (Pusher's documentation)
MAX_SUBSCRIPTIONS = 100  # channels of one socket
MAX_SOCKETS_A_PERSON = 50  # sockets of one person in one process
MAX_PENDING = 1024 * 1024  # bytes that wait for one slow reader
MESSAGES_A_SECOND = 20  # frames of one socket in the long run
MESSAGES_AT_ONCE = 300  # frames of one socket in a burst: a client subscribes anew to all it has after a break
MAX_HISTORY_CHANNELS = 20  # channels of one history request
MAX_HISTORY_EVENTS = 500  # events of one history answer; beyond it a page renews itself

HISTORY_RATE = parse("120/minute")  # requests of one person
AUTH_RATE = parse("300/minute")


class Allowance:
    """A bucket of tokens: `burst` at once, `rate` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = float(burst), time.monotonic()

    def is_spent(self) -> bool:
        """Take one token; say whether there was none."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return True
        self._left -= 1
        return False


@lru_cache
def _limiter() -> FixedWindowRateLimiter:
    url = getattr(settings, "REDIS_URL", "")
    if not url:
        return FixedWindowRateLimiter(storage_from_string("memory://"))
    # A Redis that hangs must not hold up what goes on without it.
    storage = storage_from_string(
        url.replace("unix://", "redis+unix://", 1), socket_timeout=0.5, socket_connect_timeout=0.5
    )
    return FixedWindowRateLimiter(storage)


def allowed(rate: RateLimitItem, *who: str) -> bool:
    """Count one hit of `who` and say whether it is within `rate`; a store that fails lets through."""
    try:
        return _limiter().hit(rate, *who)
    except Exception:
        # Live updates must outlive Redis: without its counters nobody is turned away.
        return True
