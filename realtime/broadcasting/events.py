"""Events, and `publish`: what is committed is logged and told, what is rolled back was never told."""

import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import transaction

from realtime import protocol
from realtime.broadcasting import dispatcher, event_log
from realtime.broadcasting.messages import Command, Deliver, Ephemeral, Reauthorize, Relay, encode_command
from realtime.channels import Audience, find
from realtime.conf import config
from realtime.limits import MAX_EVENT_SIZE
from realtime.models import Broadcast, Delivery, position_of
from realtime.presence import store

logger = logging.getLogger(__name__)


class PayloadTooLarge(ValueError):
    """An event's data is larger than MAX_EVENT_SIZE bytes, and its class does not know how to shorten it."""


@dataclass(frozen=True)
class ForChannel:
    """A channel whose listeners all hear one version, which the event knows."""

    channel: str
    version: Audience


@dataclass(frozen=True)
class OnlyAudience:
    """An audience by itself: whoever may hear more is told otherwise, by another event."""

    audience: Audience


class Event(ABC):
    """What listeners are told: as what, on which channels, to whom, and with which data for each audience.

    Nothing has a default, so that nothing leaks by omission.
    """

    broadcast_as: ClassVar[str]

    @abstractmethod
    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return full Pusher channel names; a bare name is heard by each listener in his own version."""

    @abstractmethod
    def broadcast_to(self) -> Audience | OnlyAudience:
        """Return the audience: STAFF for staff alone, PUBLIC for everybody on the channels, or Only one."""

    @abstractmethod
    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the data that `audience` may hear, by an allow-list."""

    @abstractmethod
    def broadcast_guard(self) -> str:
        """Return the channel whose rule must still admit whoever hears this from the history; "" for none."""

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a smaller form of data that is over MAX_EVENT_SIZE bytes."""
        raise PayloadTooLarge(f"{self.broadcast_as} is over {MAX_EVENT_SIZE} bytes.")


def publish(event: Event, *, receipt: bool = False) -> Broadcast | None:
    """Write `event` to the log in the running transaction, and tell the channel layer when it commits.

    Returns the row of the log, or None where BROADCAST_CONNECTION is `log` or `null`.
    """
    versions = _versions(event.broadcast_to())
    event_id = uuid.uuid4()
    data = {version: _encode(event, version, event_id) for version in versions}
    if config().connection != "channels":
        _write_down(event, data)
        return None
    routes = [route for target in event.broadcast_on() for route in _routes(target, versions)]
    broadcast = Broadcast(event_id=event_id, event=event.broadcast_as, guard=event.broadcast_guard())
    broadcast.public, broadcast.staff = data.get(Audience.PUBLIC), data.get(Audience.STAFF)
    broadcast.wants_receipt = receipt
    return _log(broadcast, routes)


def reauthorize(
    *,
    channels: Iterable[str] = (),
    users: Iterable[Any] = (),
    disconnect_users: Iterable[Any] = (),
    disconnect_sockets: Iterable[str] = (),
) -> None:
    """Have every server process authorize again: `channels`, and all channels of the sockets of `users` (keys).

    It is a row of the event log that is applied before any later row: a socket that has lost access receives nothing
    that follows. `disconnect_users` and `disconnect_sockets` (socket ids) are disconnected instead.
    """
    keys = [str(key) for key in users], [str(key) for key in disconnect_users]
    _log_command(Reauthorize(list(channels), *keys, list(disconnect_sockets)))


@transaction.atomic
def relay_through_log(messages: Sequence[Ephemeral]) -> None:
    """Send messages to every process through the event log, outside of any history."""
    event_log.forget_carried()
    _log_command(Relay(messages))


def _log_command(command: Command) -> None:
    """Write what is for server processes only; no client can name its channel."""
    if config().connection == "channels":
        name, data = encode_command(command)
        _log(Broadcast(event=name, staff=protocol.encode(data)), [(name, Audience.STAFF, Audience.STAFF)])


def _versions(to: Audience | OnlyAudience) -> list[Audience]:
    if isinstance(to, OnlyAudience):
        return [to.audience]
    return [audience for audience in Audience if audience.includes(to)]


def _routes(target: str | ForChannel, versions: list[Audience]) -> Iterator[tuple[str, Audience, Audience]]:
    """Yield (channel, audience that hears it, version that it hears)."""
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


def iso(moment: datetime) -> str:
    """Return ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@transaction.atomic
def _log(broadcast: Broadcast, routes: Iterable[tuple[str, Audience, Audience]]) -> Broadcast:
    broadcast.save(force_insert=True)
    position = position_of(broadcast)
    deliveries = Delivery.objects.bulk_create(
        Delivery(broadcast=broadcast, position=position, channel=channel, audience=audience, version=version)
        for channel, audience, version in routes
    )
    # Whoever hears this must have heard of every revocation before it.
    after = event_log.recent_rechecks()
    messages = [event_log.layer_message(delivery, broadcast, after) for delivery in deliveries]
    transaction.on_commit(lambda: _hand_over(deliveries, broadcast, messages))
    return broadcast


def _hand_over(deliveries: Iterable[Delivery], broadcast: Broadcast, messages: list[Deliver]) -> None:
    for delivery, message in zip(deliveries, messages, strict=True):
        found = find(delivery.channel)
        if found is not None and found.pattern.is_cached:
            data = broadcast.data(Audience(delivery.version))
            with suppress(store.Unavailable):
                store.remember(delivery.channel, Audience(delivery.audience), message.frame, data)
    dispatcher.send(messages)


def _write_down(event: Event, data: dict[Audience, str]) -> None:
    if config().connection == "log":
        for version, text in data.items():
            logger.info("%s (%s): %s", event.broadcast_as, version.value, text)
