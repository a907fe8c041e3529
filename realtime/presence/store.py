"""Who is where, on every server process: channels and how many hear them, and the members of presence channels.

Each process holds a lease, which it renews every few seconds. What a process wrote counts for as long as its lease
runs, so that those who were connected to a killed process are gone within REALTIME["LEASE"] seconds. The census lives
in Redis where there is one, else in the database. All functions are synchronous; they raise `Unavailable` while the
store is away.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from realtime.conf import config
from realtime.protocol import Member
from realtime.utils.circuit_breaker import ServiceUnavailable

REPORT_ON_SOCKETS = 15  # seconds that processes go on listing their sockets after somebody asked


Unavailable = ServiceUnavailable


@dataclass(frozen=True)
class Change:
    """What has become of a seat: how many sockets of this process have it; None if it is empty for good.

    `member` is who has it on a presence channel; listeners of other channels share one seat without a name.
    """

    channel: str
    sockets: int | None
    member: Member | None = None

    @property
    def key(self) -> str:
        """The member's id as text; "" for the seat without a name."""
        return "" if self.member is None else self.member.key


@dataclass(frozen=True)
class Occupancy:
    """How many sockets hear a channel, and who they are on a presence channel, by id."""

    subscriptions: int = 0
    members: dict[str, Member] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """How a server process is doing: counts of now, rates in frames a second since its last word."""

    name: str
    started_at: float
    sockets: int
    people: int
    subscriptions: int
    sent: float
    received: float


@dataclass(frozen=True)
class SocketReport:
    """One connection: whose, from where, since when (seconds since 1970), and what it hears."""

    process: str
    socket_id: str
    user_id: str | None
    address: str
    since: float
    channels: list[str]


@dataclass(frozen=True)
class SyncResult:
    """What an exchange tells: whether the process was known, what came of its changes, and who is in its rooms.

    `events` are those of Pusher's webhooks: channel_occupied, channel_vacated, member_added, member_removed.
    """

    known: bool
    events: list[dict[str, str]]
    occupancies: dict[str, Occupancy]
    wants_sockets: bool = False


@dataclass(frozen=True)
class SyncRequest:
    """What a process says: its changes, how it is doing, and of which channels it wants to know the occupancy."""

    process: str
    changes: Sequence[Change] = ()
    report: Report | None = None
    sockets: Sequence[SocketReport] | None = None
    rooms: Sequence[str] = ()
    crowd: Mapping[str, int] = field(
        default_factory=dict
    )  # counts of sockets that have changed: realtime/server/connection_limits.py


Seats = set[tuple[str, str]]  # (channel, member's key)


def sync(word: SyncRequest) -> SyncResult:
    """Write what a process says, renew its lease, end the leases that ran out, and answer what it asks."""
    with _store() as store:
        return store.exchange(word)  # type: ignore[no-any-return]


def forget(process: str) -> list[dict[str, str]]:
    """Let a process go with all its seats; return the events that come of it."""
    with _store() as store:
        return store.forget(process)  # type: ignore[no-any-return]


def admit(process: str, shares: Mapping[str, int]) -> str | None:
    """Count one more socket of a process as each of these; return which it would be too many of, then count none.

    Processes count together in Redis alone: in the database each connection would be a write, so each counts its own.
    """
    with _store() as store:
        return store.admit(process, shares)  # type: ignore[no-any-return]


def occupancy(channels: Iterable[str]) -> dict[str, Occupancy]:
    """Return the occupancy of each of the channels; nobody is on one that is not known."""
    with _store() as store:
        return store.occupancy(list(channels))  # type: ignore[no-any-return]


def occupied(prefix: str = "") -> dict[str, Occupancy]:
    """Return the occupied channels whose full Pusher name begins with `prefix`, in the order of their names."""
    with _store() as store:
        names = [name for name in store.occupied() if name.startswith(prefix)]
        found = store.occupancy(names)
    return {name: found[name] for name in sorted(names) if found[name].subscriptions or found[name].members}


def processes() -> list[Report]:
    """Return the server processes whose leases run, by name."""
    with _store() as store:
        return sorted((Report(**found) for found in store.reports()), key=lambda report: report.name)


def ask_for_sockets() -> None:
    """Have every process list its sockets for a while, beginning with their next word."""
    with _store() as store:
        store.ask_for_sockets(REPORT_ON_SOCKETS)


def sockets() -> list[SocketReport]:
    """Return the connections of all processes as they were listed last; see `ask_for_sockets`."""
    with _store() as store:
        return [SocketReport(**found) for found in store.sockets()]


def transitions(before: Seats, after: Seats) -> list[dict[str, str]]:
    """Return the webhook events that lead from the seats taken before to those taken after."""
    return [
        *_named("channel_occupied", _channels(after) - _channels(before)),
        *_members("member_added", after - before),
        *_members("member_removed", before - after),
        *_named("channel_vacated", _channels(before) - _channels(after)),
    ]


def _channels(seats: Seats) -> set[str]:
    return {channel for channel, _ in seats}


def _named(name: str, channels: set[str]) -> list[dict[str, str]]:
    return [{"name": name, "channel": channel} for channel in sorted(channels)]


def _members(name: str, seats: Seats) -> list[dict[str, str]]:
    return [{"name": name, "channel": channel, "user_id": key} for channel, key in sorted(seats) if key]


def _store() -> AbstractContextManager[Any]:
    """Open the store: Redis where REALTIME["REDIS_URL"] names one, else the database."""
    name = "redis" if config().redis_url else "database"
    return import_module(f"realtime.presence.{name}_store").opened()  # type: ignore[no-any-return]
