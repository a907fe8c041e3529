"""How many sockets one person and one address have: here, and with Redis on all processes together."""

from collections import Counter
from collections.abc import Mapping

from realtime import limits
from realtime.presence import store
from realtime.utils import client_address
from realtime.utils.circuit_breaker import ServiceUnavailable
from realtime.utils.client_address import is_limited


def limit_keys(user_id: str | None, address: str) -> dict[str, int]:
    """Return what a socket is counted as, and how many of each there may be.

    When a whole office comes back at once, many are not known yet: that is held against strangers alone.
    """
    counted = {} if user_id is None else {f"person:{user_id}": limits.MAX_CONNECTIONS_PER_USER}
    if is_limited(address):
        place = client_address.address_key(address)
        if user_id is None:
            counted[f"strangers:{place}"] = limits.MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS
        counted[f"address:{place}"] = limits.MAX_CONNECTIONS_PER_ADDRESS
    return counted


class ConnectionLimits:
    """The sockets of one process, counted; what it costs does not grow with their number."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._counts: Counter[str] = Counter()
        self._of: dict[object, set[str]] = {}
        self._changed: set[str] = set()  # what the census has not been told

    def count(self, socket: object, keys: Mapping[str, int]) -> str | None:
        """Count a socket as these from now on; return of which there are too many here."""
        before = self._of.get(socket, set())
        self._of[socket] = set(keys)
        self._add(keys.keys() - before, 1)
        self._add(before - keys.keys(), -1)
        return next((name for name, most in keys.items() if self._counts[name] > most), None)

    def discard(self, socket: object) -> None:
        """Count a socket no more."""
        self._add(self._of.pop(socket, set()), -1)

    def ask_others(self, keys: Mapping[str, int]) -> str | None:
        """Add one to each with all processes; return of which there are too many. Synchronous, one round trip.

        Where they cannot be asked, nobody is turned away for what other processes have.
        """
        try:
            return store.admit(self._process, keys) if keys else None
        except (ServiceUnavailable, store.Unavailable):
            return None

    def changes(self) -> dict[str, int]:
        """Return the counts of which the census may know another number."""
        return {name: self._counts[name] for name in self._changed}

    def told(self, counts: Mapping[str, int]) -> None:
        """Take the census to know these counts."""
        self._changed -= {name for name, count in counts.items() if self._counts[name] == count}

    def begin_anew(self) -> None:
        """Tell the census everything again: it has forgotten this process."""
        self._changed |= self._counts.keys()

    def _add(self, names: set[str], number: int) -> None:
        self._changed |= names
        for name in names:
            self._counts[name] += number
            if not self._counts[name]:
                del self._counts[name]
