"""Channels whose subscribers are sent presence updates: members, subscription counts, and users on watchlists.

Updates follow from comparing what the subscribers know with what the store has. So no member is added twice or stays
forever, whatever message was lost and whichever process died.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from realtime import protocol
from realtime.presence.store import Occupancy
from realtime.protocol import Member

MAX_IMMEDIATE_COUNT = 100  # subscriptions of a channel up to which each new count is sent at once
COUNT_INTERVAL = 5.0  # seconds between two counts above that


class Subscriber(Protocol):
    """A socket that receives presence updates."""

    def is_subscribed(self, channel: str) -> bool:
        """Return whether the socket is subscribed to `channel`."""


Send = Callable[[Iterable[Any], str, str], None]  # send a frame about a channel to sockets


class WatchedChannel(ABC):
    """A channel with subscribers to its presence updates."""

    def __init__(self, name: str, send: Send) -> None:
        self.name, self._send = name, send
        self.subscribers: set[Subscriber] = set()
        self.pending = 0  # sockets that are about to be subscribers

    @abstractmethod
    def update(self, occupancy: Occupancy, *, is_complete: bool) -> None:
        """Send the changes; missing members have left only if the store `is_complete`."""

    def broadcast(self, frame: str) -> None:
        """Send a frame to every subscriber."""
        self._send(tuple(self.subscribers), self.name, frame)


class PresenceChannel(WatchedChannel):
    """A presence channel: its subscribers know its members."""

    def __init__(self, name: str, send: Send) -> None:
        super().__init__(name, send)
        self.members: dict[str, Member] = {}

    def update(self, occupancy: Occupancy, *, is_complete: bool) -> None:
        """Send the members who were added and removed."""
        known, current = self.members, occupancy.members
        self.members = current if is_complete else known | current
        for key in known.keys() - self.members.keys():
            self.broadcast(protocol.member_removed(self.name, known[key]))
        for key, member in self.members.items():
            if known.get(key) != member:
                self.broadcast(protocol.member_added(self.name, member))


class CountedChannel(WatchedChannel):
    """A public channel whose subscribers know their number."""

    def __init__(self, name: str, send: Send) -> None:
        super().__init__(name, send)
        self.sent_count = 0
        self._sent_at = float("-inf")

    def update(self, occupancy: Occupancy, *, is_complete: bool) -> None:
        """Send a new number; on large channels at most once per COUNT_INTERVAL."""
        count, now = occupancy.subscriptions, time.monotonic()
        if count == self.sent_count or (count > MAX_IMMEDIATE_COUNT and now - self._sent_at < COUNT_INTERVAL):
            return
        self.sent_count, self._sent_at = count, now
        self.broadcast(protocol.subscription_count(self.name, count))


class WatchedUser(WatchedChannel):
    """The personal channel of a user on a watchlist, who is online while a socket is subscribed to it."""

    is_online = False

    @property
    def user_id(self) -> str:
        """The id of the watched user."""
        return self.name.removeprefix(protocol.SERVER_TO_USER)

    def update(self, occupancy: Occupancy, *, is_complete: bool) -> None:
        """Send whether the user is online, if that has changed."""
        before, is_occupied = self.is_online, bool(occupancy.subscriptions)
        self.is_online = is_occupied or (before and not is_complete)
        if before is not self.is_online:
            online, offline = ([self.user_id], []) if self.is_online else ([], [self.user_id])
            self.broadcast(protocol.watchlist_events(online, offline))
