"""How much is too much: sizes, counts and rates that bound one socket and one person."""

import time
from functools import lru_cache
from ipaddress import ip_address

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from realtime.breaker import TIMEOUT, Away, redis_breaker
from realtime.conf import config

MAX_FRAME = 16 * 1024  # bytes a client may send in one frame
MAX_EVENT = 10 * 1024  # bytes of one event's data (Pusher: 10 KB)
MAX_CHANNEL_NAME = 164  # characters (Pusher's documentation)
MAX_EVENT_NAME = 200  # characters
MAX_USER_ID = 128  # characters of a member's or a signed-in person's id
MAX_USER_INFO = 1024  # bytes of what a presence channel tells of a member
MAX_WATCHLIST = 100  # people whom one socket watches
MAX_SUBSCRIPTIONS = 100  # channels of one socket
# Room for twice as many as there are: those of a killed process count for its lease, while they come back elsewhere.
MAX_SOCKETS_A_PERSON = 100  # sockets of one person
MAX_SOCKETS_AN_ADDRESS = 5000  # sockets from one address: a whole office may be behind it
MAX_STRANGERS_AN_ADDRESS = 200  # of which are nobody's so far
CLIENT_EVENTS_A_SECOND = 10  # of one socket (Pusher: client events)
MAX_HELD = 1000  # frames of one channel that wait for its rule to answer again
MAX_PENDING = 1024 * 1024  # bytes that wait for one slow reader
CLOSE_TIMEOUT = 5  # seconds that a client has to read why it is closed, and what was ahead of that
MESSAGES_A_SECOND = 20  # frames of one socket in the long run
MESSAGES_AT_ONCE = 300  # frames of one socket in a burst: a client subscribes anew to all it has after a break
FRAMES_A_SECOND = 100  # of WebSocket, of one socket: pings and pieces of messages count too
FRAMES_AT_ONCE = 1000
FRAME_SIZE = 4096  # bytes; a larger frame counts as several
MAX_UNHEARD = 1024 * 1024  # bytes that are read of a socket that is closed for what it said
MAX_HISTORY_CHANNELS = 20  # channels of one history request
MAX_HISTORY_EVENTS = 500  # events of one history answer; beyond it a page renews itself

MAX_REQUEST = 1024 * 1024  # bytes of one request to the HTTP API: ten events, whatever their escapes
MAX_TRIGGER_CHANNELS = 100  # channels of one event that comes in by HTTP (Pusher's)
MAX_BATCH = 10  # events of one batch (Pusher's)

HTTP_API_RATE = parse("12000/minute")  # requests of one app
HISTORY_RATE = parse("120/minute")  # requests of one person
AUTH_RATE = parse("300/minute")


def is_counted(address: str) -> bool:
    """Say whether sockets from an address are counted: a proxy on this machine stands for everybody behind it."""
    try:
        return not ip_address(address).is_loopback
    except ValueError:  # a Unix socket has no address
        return False


class Allowance:
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
    except Away:
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
