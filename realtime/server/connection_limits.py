"""Limit concurrent connections per user and per client address, per process and (with Redis) per cluster."""

from collections import Counter
from collections.abc import Mapping

from realtime import limits
from realtime.presence.store import presence_store
from realtime.utils.circuit_breaker import ServiceUnavailable
from realtime.utils.client_address import address_key, is_limited


def limit_keys(user_id: str | None, address: str) -> dict[str, int]:
    """Return the keys that a connection counts for, with their limits.

    Anonymous connections have a lower limit: when a whole office reconnects at once, its users are still unknown.
    """
    keys = {} if user_id is None else {f"user:{user_id}": limits.MAX_CONNECTIONS_PER_USER}
    if is_limited(address):
        key = address_key(address)
        if user_id is None:
            keys[f"anonymous:{key}"] = limits.MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS
        keys[f"address:{key}"] = limits.MAX_CONNECTIONS_PER_ADDRESS
    return keys


class ConnectionLimits:
    """Counts the connections of one process; the cost does not grow with their number."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._counts: Counter[str] = Counter()
        self._keys: dict[object, set[str]] = {}  # by connection
        self._changed: set[str] = set()  # counts that the presence store does not know
        self._released: set[str] = set()  # those that have become lower
        self.waiting = 0  # connections over a limit, until others have closed

    def count(self, connection: object, keys: Mapping[str, int]) -> str | None:
        """Count a connection for these keys, and no longer for its old ones.

        Return a key whose limit that would exceed; then nothing has changed.
        """
        before = self._keys.get(connection, set())
        added = keys.keys() - before
        self._changed |= added  # the presence store may have counted it already
        if (exceeded := next((key for key in added if self._counts[key] >= keys[key]), None)) is not None:
            return exceeded
        self._keys[connection] = set(keys)
        self._add(added, 1)
        self._add(before - keys.keys(), -1)
        return None

    def discard(self, connection: object) -> None:
        """Stop counting a connection."""
        keys = self._keys.pop(connection, set())
        self._released |= keys
        self._add(keys, -1)

    @property
    def has_released(self) -> bool:
        """Whether other processes may refuse connections because of some that are closed."""
        return bool(self._released)

    def check_cluster(self, keys: Mapping[str, int]) -> str | None:
        """Add one to each key's count of all processes; return a key that exceeds its limit.

        Synchronous, one round trip. While the store is unavailable no connection is refused for other processes.
        """
        try:
            return presence_store().admit_connection(self._process, keys) if keys else None
        except ServiceUnavailable:
            return None

    def changes(self) -> dict[str, int]:
        """Return the counts that the presence store does not know."""
        return {key: self._counts[key] for key in self._changed}

    def mark_synced(self, counts: Mapping[str, int]) -> None:
        """Note that the presence store knows these counts."""
        self._changed -= {key for key, count in counts.items() if self._counts[key] == count}
        self._released &= self._changed

    def resync(self) -> None:
        """Report all counts again: the presence store has lost this process."""
        self._changed |= self._counts.keys()

    def _add(self, keys: set[str], number: int) -> None:
        self._changed |= keys
        for key in keys:
            self._counts[key] += number
            if not self._counts[key]:
                del self._counts[key]
