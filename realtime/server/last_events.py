"""The log position of each group's last event: a client that missed nothing learns it without a database query."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Final

from realtime import protocol
from realtime.broadcasting.channel_layer import group_name
from realtime.broadcasting.cursors import decode_cursor, encode_cursor
from realtime.broadcasting.event_log import group_of
from realtime.models import Delivery
from realtime.protocol import InvalidMessage
from realtime.server.subscriptions import State
from realtime.utils.snapshots import Snapshot

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer

MAX_GROUPS: Final = 10_000
MAX_TRANSACTIONS: Final = 10_000


class LastEvents:
    """What one process knows of the last deliveries: from the log tailer, which reads all, and the faster layer."""

    def __init__(self) -> None:
        self._floor: float = inf  # from this position on, all deliveries are known
        self._positions: dict[str, int] = {}  # the highest by group, the most recently updated last
        self._started = Snapshot(0)
        self._groups: dict[int, set[str]] = {}  # by the transactions read since the start
        self._transactions_floor: float = 0  # from this position on, all of these are known
        self._unread: dict[str, float] = {}  # groups with a message of the layer that the tailer has not read yet

    def start(self, started: Snapshot, floor: int, positions: Mapping[str, int]) -> None:
        """Set the last position of each group in a snapshot, the lowest first; complete from `floor` on."""
        self._started, self._floor, self._positions = started, floor, dict(positions)
        self._drop_oldest()

    def add_unread(self, group: str, now: float) -> None:
        """Note a message of the layer, whose log position is unknown; `now` in monotonic seconds."""
        self._unread[group] = now

    def add(self, deliveries: Iterable[Delivery], started_at: float, read_to: int) -> None:
        """Note what the tailer has read up to a position, in a read that started then (monotonic seconds)."""
        read = set()
        for delivery in deliveries:
            group = group_of(delivery)
            read.add(group)
            self._note(group, delivery.position)
            self._groups.setdefault(delivery.position, set()).add(group)
        for group in [group for group, at in self._unread.items() if at < started_at]:
            del self._unread[group]
            if group not in read:  # its row may have been deleted meanwhile
                self._note(group, read_to - 1)
        self._drop_oldest()

    def _note(self, group: str, position: int) -> None:
        self._positions[group] = max(position, self._positions.pop(group, 0))

    def has_no_events_since(self, seen: Snapshot, groups: Iterable[str]) -> bool:
        """Return whether it is certain that a snapshot saw all events of these groups.

        Events that this process has not received yet do not count: they are going to be delivered.
        """
        names = set(groups)
        return (
            seen.start >= self._floor
            and names.isdisjoint(self._unread)
            and all(seen.sees(self._positions.get(group, -1)) for group in names)
            and all(self._had_no_events(transaction, names) for transaction in seen.running)
        )

    def _had_no_events(self, transaction: int, groups: set[str]) -> bool:
        """Return whether it is certain that no event of these groups was committed by a transaction."""
        is_known = transaction >= self._transactions_floor and not self._started.sees(transaction)
        return is_known and groups.isdisjoint(self._groups.get(transaction, ()))

    def _drop_oldest(self) -> None:
        while len(self._positions) > MAX_GROUPS:
            self._floor = max(self._floor, self._positions.pop(next(iter(self._positions))) + 1)
        while len(self._groups) > MAX_TRANSACTIONS:
            oldest = next(iter(self._groups))
            del self._groups[oldest]
            self._transactions_floor = max(self._transactions_floor, oldest + 1)


async def answer_missed(socket: "PusherConsumer", fields: dict[str, Any]) -> None:
    """Answer `realtime:missed` {id, since, channels}: a cursor if the client missed nothing since `since`, else null.

    After a cursor every later event is delivered on the socket. Null means: ask the history.
    """
    request_id, since = protocol.text_field(fields, "id"), protocol.text_field(fields, "since")
    channels = fields.get("channels")
    if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels):
        raise InvalidMessage("channels must be a list of strings.")
    seen = decode_cursor(since)
    read_to = None if seen is None else await socket.hub.log_tailer.read_up_to(seen)
    missed_nothing = seen is not None and read_to is not None and _missed_nothing(socket, channels, seen)
    socket.write(
        protocol.missed_answer(request_id, encode_cursor(read_to) if missed_nothing and read_to is not None else None)
    )


def _missed_nothing(socket: "PusherConsumer", channels: list[str], seen: Snapshot) -> bool:
    groups = []
    for channel in channels:
        subscription = socket.subscriptions.get(channel)
        if subscription is None or subscription.audience is None or subscription.state is not State.ACTIVE:
            return False
        groups.append(group_name(channel, subscription.audience))
    return socket.hub.last_events.has_no_events_since(seen, groups)
