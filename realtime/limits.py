"""How much is too much: sizes, counts and rates that bound one socket and one person."""

from functools import lru_cache

from django.conf import settings
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

MAX_FRAME = 16 * 1024  # bytes a client may send in one frame
MAX_EVENT = 10 * 1024  # bytes of one event's data (Pusher: 10 KB)
MAX_CHANNEL_NAME = 164  # characters (Pusher's documentation)
MAX_SUBSCRIPTIONS = 100  # channels of one socket
MAX_PENDING = 1024 * 1024  # bytes that wait for one slow reader
MAX_HISTORY_CHANNELS = 20  # channels of one history request
MAX_HISTORY_EVENTS = 500  # events of one history answer; beyond it a page renews itself
MAX_HISTORY_GUARDS = 60  # rules asked again for one history answer

HISTORY_RATE = parse("120/minute")  # requests of one person
AUTH_RATE = parse("300/minute")


@lru_cache
def _limiter() -> FixedWindowRateLimiter:
    url = getattr(settings, "REDIS_URL", "")
    storage = "memory://" if not url else url.replace("unix://", "redis+unix://", 1)
    return FixedWindowRateLimiter(storage_from_string(storage))


def allowed(rate: RateLimitItem, *who: str) -> bool:
    """Count one hit of `who` and say whether it is within `rate`; a store that fails lets through."""
    try:
        return _limiter().hit(rate, *who)
    except Exception:
        # Live updates must outlive Redis: without its counters nobody is turned away.
        return True
