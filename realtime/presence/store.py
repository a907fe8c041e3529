"""The presence store: occupied channels and their members on all server processes.

Each process writes its entries under a lease, which it renews every few seconds. When a process dies, its entries
expire with the lease, after REALTIME["LEASE"] seconds. All methods are synchronous and raise ServiceUnavailable while
the store fails.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from realtime.conf import config
from realtime.protocol import Member

SOCKET_LIST_EXPIRY = 15  # seconds that processes list their sockets after a request
PresenceEvent = dict[str, str]  # Pusher's channel_occupied, channel_vacated, member_added, member_removed
Keys = set[tuple[str, str]]  # of entries: channel and member


@dataclass(frozen=True)
class EntryChange:
    """The new number of a process's sockets on a channel, for one member on a presence channel; None: removed."""

    channel: str
    sockets: int | None
    member: Member | None = None

    @property
    def key(self) -> str:
        """The member's id as text; "" without a member."""
        return "" if self.member is None else self.member.key


@dataclass(frozen=True)
class Occupancy:
    """The number of a channel's subscriptions, and on a presence channel the members by id."""

    subscriptions: int = 0
    members: dict[str, Member] = field(default_factory=dict)


@dataclass(frozen=True)
class ProcessReport:
    """The state of a server process: current counts, and rates in frames per second since its last report."""

    name: str
    started_at: float
    sockets: int
    people: int
    subscriptions: int
    sent: float
    received: float


@dataclass(frozen=True)
class SocketReport:
    """A connection: its user, client address, start (seconds since 1970) and channels."""

    process: str
    socket_id: str
    user_id: str | None
    address: str
    since: float
    channels: list[str]


@dataclass(frozen=True)
class SyncRequest:
    """What a process writes, and the channels of which it reads the occupancy.

    `connection_counts` are the changed counts of its sockets by limit key (realtime/server/connection_limits.py).
    """

    process: str
    changes: Sequence[EntryChange] = ()
    report: ProcessReport | None = None
    sockets: Sequence[SocketReport] | None = None
    channels: Sequence[str] = ()
    connection_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class SyncResult:
    """Whether the process had a lease, the events that its changes cause, and the occupancies that it reads."""

    had_lease: bool
    events: list[PresenceEvent]
    occupancies: dict[str, Occupancy]
    wants_sockets: bool = False


class PresenceStore(Protocol):
    """The entries, reports and connection counts of all server processes."""

    def sync(self, request: SyncRequest) -> SyncResult:
        """Write a process's changes, renew its lease, remove expired processes, and read occupancies."""

    def remove_process(self, process: str) -> list[PresenceEvent]:
        """Remove a process with all its entries; return the events that this causes."""

    def admit_connection(self, process: str, limits: Mapping[str, int]) -> str | None:
        """Count one more socket of a process under each key; return a key whose limit that exceeds, uncounted.

        Only Redis counts across processes: in the database each connection would cost a write.
        """

    def occupancy(self, channels: Iterable[str]) -> dict[str, Occupancy]:
        """Return the occupancy of each channel; an unknown channel is empty."""

    def occupied(self, prefix: str = "") -> dict[str, Occupancy]:
        """Return the occupied channels whose full Pusher name starts with `prefix`, sorted by name."""
        names = [name for name in self.channel_names() if name.startswith(prefix)]
        found = self.occupancy(names)
        return {name: found[name] for name in sorted(names) if found[name].subscriptions or found[name].members}

    def channel_names(self) -> list[str]:
        """Return the channels with entries; entries of expired processes may be among them."""

    def processes(self) -> list[ProcessReport]:
        """Return the last reports of the live processes, sorted by name."""

    def request_sockets(self) -> None:
        """Make every process list its sockets for SOCKET_LIST_EXPIRY seconds, from its next sync."""

    def sockets(self) -> list[SocketReport]:
        """Return the sockets that the live processes listed last; see `request_sockets`."""


def presence_store() -> PresenceStore:
    """Return the configured store: Redis if REALTIME["REDIS_URL"] is set, else the database."""
    if config().redis_url:
        from realtime.presence.redis_store import RedisPresenceStore

        return RedisPresenceStore()
    from realtime.presence.database_store import DatabasePresenceStore

    return DatabasePresenceStore()


def presence_events(before: Keys, after: Keys) -> list[PresenceEvent]:
    """Return the events of the transition from the entries `before` to those `after`."""
    return [
        *_channel_events("channel_occupied", _channels(after) - _channels(before)),
        *_member_events("member_added", after - before),
        *_member_events("member_removed", before - after),
        *_channel_events("channel_vacated", _channels(before) - _channels(after)),
    ]


def _channels(keys: Keys) -> set[str]:
    return {channel for channel, _ in keys}


def _channel_events(name: str, channels: set[str]) -> list[PresenceEvent]:
    return [{"name": name, "channel": channel} for channel in sorted(channels)]


def _member_events(name: str, keys: Keys) -> list[PresenceEvent]:
    return [{"name": name, "channel": channel, "user_id": member} for channel, member in sorted(keys) if member]
