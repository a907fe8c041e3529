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

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer

MAX_GROUPS: Final = 10_000


class LastEvents:
    """What one process knows of the last deliveries: from the log tailer, which reads all, and the faster layer."""

    def __init__(self) -> None:
        self._floor: float = inf  # from this position on, all deliveries are known
        self._positions: dict[str, int] = {}  # by group, the most recently updated last
        self._unread: dict[str, float] = {}  # groups with a message of the layer that the tailer has not read yet

    def start(self, floor: int, positions: Mapping[str, int]) -> None:
        """Set the last position of each group, the lowest first; complete from `floor` on."""
        self._floor, self._positions = floor, dict(positions)
        self._drop_oldest()

    def add_unread(self, group: str, now: float) -> None:
        """Note a message of the layer, whose log position is unknown; `now` in monotonic seconds."""
        self._unread[group] = now

    def add(self, deliveries: Iterable[Delivery], started_at: float) -> None:
        """Note what the tailer has read, in a read that started at that moment (monotonic seconds)."""
        for delivery in deliveries:
            group = group_of(delivery)
            self._positions[group] = max(delivery.position, self._positions.pop(group, 0))
        self._unread = {group: at for group, at in self._unread.items() if at >= started_at}
        self._drop_oldest()

    def has_no_events_since(self, position: int, groups: Iterable[str]) -> bool:
        """Return whether it is certain that no group had an event at or above a position.

        Events that this process has not received yet do not count: they are going to be delivered.
        """
        return position >= self._floor and all(
            group not in self._unread and self._positions.get(group, -1) < position for group in groups
        )

    def _drop_oldest(self) -> None:
        while len(self._positions) > MAX_GROUPS:
            self._floor = max(self._floor, self._positions.pop(next(iter(self._positions))) + 1)


async def answer_missed(socket: "PusherConsumer", fields: dict[str, Any]) -> None:
    """Answer `realtime:missed` {id, since, channels}: a cursor if the client missed nothing since `since`, else null.

    After a cursor every later event is delivered on the socket. Null means: ask the history.
    """
    request_id, since = protocol.text_field(fields, "id"), protocol.text_field(fields, "since")
    channels = fields.get("channels")
    if not isinstance(channels, list) or not all(isinstance(each, str) for each in channels):
        raise InvalidMessage("channels must be a list of strings.")
    position = decode_cursor(since)
    read_to = None if position is None else await socket.hub.log_tailer.read_up_to(position)
    missed_nothing = position is not None and read_to is not None and _missed_nothing(socket, channels, position)
    socket.write(
        protocol.missed_answer(request_id, encode_cursor(read_to) if missed_nothing and read_to is not None else None)
    )


def _missed_nothing(socket: "PusherConsumer", channels: list[str], position: int) -> bool:
    groups = []
    for channel in channels:
        subscription = socket.subscriptions.get(channel)
        if subscription is None or subscription.audience is None or subscription.state is not State.ACTIVE:
            return False
        groups.append(group_name(channel, subscription.audience))
    return socket.hub.last_events.has_no_events_since(position, groups)
