"""Publish events: log them in the transaction of their change, and send them after its commit."""

import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from realtime import metrics, protocol
from realtime.broadcasting import cached_events, dispatcher, event_log
from realtime.broadcasting.events import Event, ForChannel, OnlyAudience, iso
from realtime.broadcasting.messages import Command, Deliver, Ephemeral, Reauthorize, Relay, encode_command
from realtime.channels import Audience, find
from realtime.conf import config
from realtime.limits import MAX_EVENT_SIZE
from realtime.models import Broadcast, Delivery, position_of
from realtime.utils.circuit_breaker import ServiceUnavailable

logger = logging.getLogger(__name__)

Route = tuple[str, Audience, Audience]  # channel, audience of the subscribers, version that they receive
Entry = tuple[Broadcast, list[Route]]


def publish(event: Event, *, receipt: bool = False, through_layer: bool = True) -> Broadcast | None:
    """Log `event` in the running transaction, and send it to the channel layer after commit.

    Return the row of the log, or None if BROADCAST_CONNECTION is `log` or `null`. With `receipt` each server process
    records to how many sockets it delivered the event. Without `through_layer` the log tailers alone deliver it.
    """
    entry = _entry(event)
    if entry is None:
        return None
    entry[0].wants_receipt = receipt
    _log([entry], through_layer=through_layer)
    return entry[0]


def publish_all(events: Iterable[Event]) -> None:
    """Publish many events, in this order, with as many queries as for one."""
    entries = [entry for entry in map(_entry, events) if entry is not None]
    if entries:
        _log(entries)


def _entry(event: Event) -> Entry | None:
    """Return the unsaved row of the log and its routes; None if BROADCAST_CONNECTION is `log` or `null`."""
    versions = _versions(event.broadcast_to())
    event_id = uuid.uuid4()
    data = {version: _encode(event, version, event_id) for version in versions}
    if config().connection != "channels":
        _log_to_console(event, data)
        return None
    routes = [route for target in event.broadcast_on() for route in _routes(target, versions)]
    broadcast = Broadcast(event_id=event_id, event=event.broadcast_as, guard=event.broadcast_guard())
    broadcast.ordering_key = event.broadcast_ordering_key()
    broadcast.public, broadcast.staff = data.get(Audience.PUBLIC), data.get(Audience.STAFF)
    return broadcast, routes


def reauthorize(
    *,
    channels: Iterable[str] = (),
    users: Iterable[Any] = (),
    disconnect_users: Iterable[Any] = (),
    disconnect_sockets: Iterable[str] = (),
) -> None:
    """Make every server process authorize again: `channels`, and all channels of the sockets of `users` (keys).

    It is a row of the event log that is applied before any later row: a socket that has lost access receives nothing
    that follows. `disconnect_users` and `disconnect_sockets` (socket ids) are disconnected instead.
    """
    keys = [str(key) for key in users], [str(key) for key in disconnect_users]
    _log_command(Reauthorize(list(channels), *keys, list(disconnect_sockets)))


@transaction.atomic
def relay_through_log(messages: Sequence[Ephemeral]) -> None:
    """Send messages to every process through the event log, outside of any history."""
    event_log.delete_relayed()
    _log_command(Relay(messages))


def _log_command(command: Command) -> None:
    if config().connection == "channels":
        name, data = encode_command(command)
        _log([(Broadcast(event=name, staff=protocol.encode(data)), [(name, Audience.STAFF, Audience.STAFF)])])


def _versions(to: Audience | OnlyAudience) -> list[Audience]:
    if isinstance(to, OnlyAudience):
        return [to.audience]
    return [audience for audience in Audience if audience.includes(to)]


def _routes(target: str | ForChannel, versions: list[Audience]) -> Iterator[Route]:
    if isinstance(target, str):
        yield from ((target, version, version) for version in versions)
    elif target.version in versions:
        yield (target.channel, Audience.STAFF, target.version)


def _encode(event: Event, version: Audience, event_id: uuid.UUID) -> str:
    stamp = {"event_id": str(event_id), "timestamp": iso(datetime.now(UTC))}
    data = event.broadcast_with(version) | stamp
    text = protocol.encode(data)
    if len(text.encode()) > MAX_EVENT_SIZE:
        text = protocol.encode(event.shorten(data))
    return text


@transaction.atomic
def _log(entries: Sequence[Entry], *, through_layer: bool = True) -> None:
    broadcasts = Broadcast.objects.bulk_create([broadcast for broadcast, _routes in entries])
    for broadcast in broadcasts:
        metrics.published_events.labels(broadcast.event).inc()
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            broadcast=broadcast,
            position=position_of(broadcast),
            channel=channel,
            audience=audience,
            version=version,
        )
        for broadcast, routes in entries
        for channel, audience, version in routes
    )
    preceding = event_log.preceding(broadcasts)
    messages = [
        event_log.layer_message(each, each.broadcast, preceding.before(each, each.broadcast.ordering_key))
        for each in deliveries
    ]
    if through_layer:
        transaction.on_commit(lambda: _send(deliveries, messages))


def _send(deliveries: Iterable[Delivery], messages: list[Deliver]) -> None:
    committed_at = time.time()
    for delivery, message in zip(deliveries, messages, strict=True):
        found = find(delivery.channel)
        if found is not None and found.pattern.is_cached:
            data = delivery.broadcast.data(Audience(delivery.version))
            with suppress(ServiceUnavailable):
                cached_events.put(delivery.channel, Audience(delivery.audience), message.frame, data)
    dispatcher.send([replace(message, committed_at=committed_at) for message in messages])


def _log_to_console(event: Event, data: dict[Audience, str]) -> None:
    if config().connection == "log":
        for version, text in data.items():
            logger.info("event published name=%s audience=%s data=%s", event.broadcast_as, version.value, text)
