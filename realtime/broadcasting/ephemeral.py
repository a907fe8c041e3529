"""Broadcasts without history: client events, events of the HTTP API, and commands to disconnect.

They are sent through the channel layer, at most once. If the layer does not reach other processes, the event log
relays them within a second, on a channel that no client can name and that no history contains.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction

from realtime import protocol
from realtime.broadcasting import cached_events, channel_layer, dispatcher
from realtime.broadcasting.channel_layer import group_name
from realtime.broadcasting.messages import Ephemeral
from realtime.broadcasting.publish import reauthorize, relay_through_log
from realtime.channels import Audience, find


def broadcast_now(channels: Sequence[str], event: str, data: str, *, except_socket: str = "") -> None:
    """Send `event` to every subscriber of `channels` (full Pusher names) but one socket; after commit, if in one.

    `data` is the text that clients receive, not encoded again. The event is not logged.
    """
    messages = [message for channel in channels for message in _messages(channel, event, data, except_socket)]
    if channel_layer.reaches_every_process():
        transaction.on_commit(lambda: dispatcher.send(messages))
    else:
        relay_through_log(messages)


def disconnect(*, users: Iterable[str] = (), sockets: Iterable[str] = ()) -> None:
    """Disconnect users (primary keys) and sockets (socket ids) on every process, with a code that forbids a retry.

    A user with a valid session may connect again; end the session first.
    """
    reauthorize(disconnect_users=users, disconnect_sockets=sockets)


def message(channel: str, audience: Audience, frame: str, except_socket: str = "") -> Ephemeral:
    """Return the message to the subscribers of `channel` with `audience`."""
    return Ephemeral(group_name(channel, audience), frame, except_socket)


def _messages(channel: str, event: str, data: str, except_socket: str) -> list[Ephemeral]:
    frame, found = protocol.frame(event, channel=channel, data=data), find(channel)
    needs_auth = found is not None and found.pattern.needs_auth
    audiences = list(Audience) if needs_auth else [Audience.PUBLIC]  # a public channel has one audience
    if found is not None and found.pattern.is_cached:
        for audience in audiences:
            cached_events.put(channel, audience, frame, data)
    return [message(channel, audience, frame, except_socket) for audience in audiences]
