"""Says things that are not remembered: client events, what comes in by the HTTP API, and orders to hang up.

They go through the channel layer, at most once. Where the layer reaches no other process they are carried by the log,
under a name that no channel can have, so that a server process hears them within a second and no history tells them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from realtime import protocol
from realtime.broadcasting import dispatcher, events
from realtime.channels import Audience, find, group_name
from realtime.presence import store


def broadcast_now(channels: Sequence[str], event: str, data: str, *, except_socket: str = "") -> None:
    """Tell `event` to everybody on `channels` (full Pusher names) but one socket; after the commit, if in one.

    `data` is the text that clients get; it is not encoded again. Nothing of it is logged.
    """
    messages = [message for channel in channels for message in _messages(channel, event, data, except_socket)]
    for message in messages:
        _remember(message, data)
    if dispatcher.reaches_every_process():
        transaction.on_commit(lambda: dispatcher.send(messages))
    else:
        events.relay_through_log(messages)


def disconnect(*, users: Iterable[str] = (), sockets: Iterable[str] = ()) -> None:
    """Hang up on people (keys of users) and sockets (socket ids), on every process, with a code that forbids a retry.

    A person who is still signed in may connect again; end the sign-in first.
    """
    events.reauthorize(hang_up_users=users, hang_up_sockets=sockets)


def _messages(channel: str, event: str, data: str, except_socket: str) -> list[dict[str, Any]]:
    frame = protocol.frame(event, channel=channel, data=data)
    return [message(channel, audience, frame, except_socket) for audience in _audiences(channel)]


def message(channel: str, audience: Audience, frame: str, except_socket: str = "") -> dict[str, Any]:
    """Return what the channel layer carries to those who hear `channel` as `audience`."""
    told = {"type": "realtime.tell", "group": group_name(channel, audience), "frame": frame, "except": except_socket}
    return told | {"channel": channel, "audience": audience.value}


def _audiences(channel: str) -> list[Audience]:
    """Return as whom a channel is heard: of those that anybody hears there is but one version."""
    found = find(channel)
    return list(Audience) if found is not None and found.pattern.needs_auth else [Audience.PUBLIC]


def _remember(told: dict[str, Any], data: str) -> None:
    found = find(told["channel"])
    if found is not None and found.pattern.is_cached:
        store.remember(told["channel"], Audience(told["audience"]), told["frame"], data)
