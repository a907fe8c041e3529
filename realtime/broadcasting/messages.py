"""Messages between server processes: dataclasses in code, dicts on the channel layer, JSON in the event log.

The `type` strings and keys are a wire format that processes of two releases share during a rolling restart: never
change one; add a new type instead. A process ignores types that it does not know, because the log tailer delivers
whatever the event log holds.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

from realtime.broadcasting.channel_layer import PRESENCE_GROUP, REAUTHORIZE_CHANNEL, RELAY_CHANNEL

Class = TypeVar("Class")


@dataclass_transform(frozen_default=True)
def _message(cls: type[Class]) -> type[Class]:
    """Make `cls` a dataclass that is frozen for type checkers only: at run time that triples the cost of decoding."""
    return dataclass(slots=True)(cls)


@_message
class Deliver:
    """A delivery of the event log: a finished frame for the subscribers of a group."""

    group: str
    id: int
    broadcast_id: int
    wants_receipt: bool
    frame: str
    after: Sequence[int] = ()  # deliveries to make first: revocations, and the last with the same ordering key
    committed_at: float = 0.0  # seconds since 1970; 0 if unknown


@_message
class Ephemeral:
    """A finished frame for the subscribers of a group, which is in no log; one socket may be excluded."""

    group: str
    frame: str
    except_socket: str = ""


@_message
class Batch:
    """Messages that travel together, in order."""

    group: str
    messages: "Sequence[LayerMessage]"


@_message
class PresenceChanged:
    """Channels whose occupancy or members a process has changed."""

    channels: Sequence[str]
    group: str = PRESENCE_GROUP


@_message
class Barrier:
    """A message that its sender waits to receive, to know that the layer has joined a group."""

    group: str
    id: str


@_message
class Unknown:
    """A message of another release, or a malformed one."""

    type: str


LayerMessage = Deliver | Ephemeral | Batch | PresenceChanged | Barrier | Unknown


def encode(message: LayerMessage) -> dict[str, Any]:
    """Return what the channel layer carries."""
    match message:
        case Deliver():
            return {
                "type": "realtime.deliver",
                "group": message.group,
                "id": message.id,
                "broadcast": message.broadcast_id,
                "wants_receipt": message.wants_receipt,
                "frame": message.frame,
                "after": list(message.after),
                "committed_at": message.committed_at,
            }
        case Ephemeral():
            rest = {"frame": message.frame, "except": message.except_socket}
            return {"type": "realtime.tell", "group": message.group, **rest}  # codespell:ignore tell
        case Batch():
            messages = [encode(each) for each in message.messages]
            return {"type": "realtime.bundle", "group": message.group, "messages": messages}
        case PresenceChanged():
            return {"type": "realtime.presence", "group": message.group, "channels": list(message.channels)}
        case Barrier():
            return {"type": "realtime.fence", "group": message.group, "fence": message.id}
    raise TypeError(f"A {type(message).__name__} cannot be sent.")


def decode(data: dict[str, Any]) -> LayerMessage:
    """Return the message that `data` encodes; `Unknown` for one that this release cannot read."""
    try:
        return _DECODERS[data["type"]](data)
    except (KeyError, TypeError, AttributeError):
        return Unknown(str(data.get("type")))


_DECODERS: dict[str, Callable[[dict[str, Any]], LayerMessage]] = {
    "realtime.deliver": lambda data: Deliver(
        data["group"],
        data["id"],
        data["broadcast"],
        data["wants_receipt"],
        data["frame"],
        data["after"],
        data.get("committed_at", 0.0),  # not sent by the previous release
    ),
    "realtime.tell": lambda data: Ephemeral(data["group"], data["frame"], data["except"]),  # codespell:ignore tell
    "realtime.bundle": lambda data: Batch(data["group"], [decode(each) for each in data["messages"]]),
    "realtime.presence": lambda data: PresenceChanged(data["channels"]),
    "realtime.fence": lambda data: Barrier(data.get("group", ""), data["fence"]),
}


@dataclass(frozen=True)
class Reauthorize:
    """A command in the event log: reauthorize channels and users' sockets; disconnect users and sockets."""

    channels: Sequence[str] = field(default=())
    users: Sequence[str] = field(default=())
    disconnect_users: Sequence[str] = field(default=())
    disconnect_sockets: Sequence[str] = field(default=())


@dataclass(frozen=True)
class Relay:
    """A command in the event log: ephemeral messages, for processes that no channel layer connects."""

    messages: Sequence[Ephemeral]


Command = Reauthorize | Relay


def encode_command(command: Command) -> tuple[str, dict[str, Any]]:
    """Return the name of the command's event and channel, and its data."""
    match command:
        case Reauthorize():
            return REAUTHORIZE_CHANNEL, {
                "channels": list(command.channels),
                "users": list(command.users),
                "hang_up_users": list(command.disconnect_users),
                "hang_up_sockets": list(command.disconnect_sockets),
            }
        case Relay():
            return RELAY_CHANNEL, {"messages": [encode(each) for each in command.messages]}


def decode_command(frame: str) -> Command | Unknown:
    """Return the command in the frame of a log row; `Unknown` for one that this release cannot read."""
    fields = json.loads(frame)
    name, data = fields["event"], json.loads(fields["data"])
    if name == REAUTHORIZE_CHANNEL:
        return Reauthorize(data["channels"], data["users"], data["hang_up_users"], data["hang_up_sockets"])
    if name == RELAY_CHANNEL:
        return Relay(_ephemeral(decode(each) for each in data["messages"]))
    return Unknown(name)


def _ephemeral(messages: Iterable[LayerMessage]) -> list[Ephemeral]:
    return [each for each in messages if isinstance(each, Ephemeral)]
