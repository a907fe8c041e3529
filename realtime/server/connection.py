"""An open connection of a client: what it writes, holds and reports, and how it ends."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from realtime import limits, metrics, protocol
from realtime.conf import config
from realtime.presence.store import SocketReport
from realtime.protocol import CloseReason, close_codes
from realtime.server.hub import here
from realtime.server.subscriptions import Subscription
from realtime.websocket.frames import Frames
from realtime.websocket.transport import Transport

if TYPE_CHECKING:
    from realtime.server.revalidation import Revalidation
    from realtime.server.sign_in import SignIn


class Connection:
    """A client's connection as the hub sees it, on any transport."""

    transport: Transport
    sign_in: "SignIn"
    revalidation: "Revalidation"

    def __init__(self) -> None:
        self.hub = here()
        self.socket_id = protocol.new_socket_id()
        self.address = ""  # of the client, after trusted proxies
        self.subscriptions: dict[str, Subscription] = {}
        self.write_now: Callable[[bytes], None] | None = None  # the hub's fast path, while nothing is held
        self.is_closing = self.has_lost_access = False
        self._connected_at = time.time()
        self.received_at = time.monotonic()
        self.opened_at = float("inf")  # monotonic seconds
        self._is_pinged = False

    def attach(self, transport: Transport) -> None:
        """Write to `transport` from now on."""
        self.transport, self.write_now = transport, transport.send_now

    # -- Receive and write

    def touch(self) -> None:
        """Note that the client has sent something."""
        self.received_at, self._is_pinged = time.monotonic(), False

    def write(self, text: str) -> None:
        """Send one frame, without waiting for a slow reader."""
        self.write_frames(Frames(text))

    def write_frames(self, frames: Frames) -> None:
        """Send frames after what the groups have pending."""
        self.hub.flush()
        if not (self.is_closing or self.transport.write(frames)):
            self.drop()

    def deliver(self, group: str, frames: Frames) -> None:
        """Write frames of a group, or hold them while its subscription is revalidated."""
        for subscription in self.subscriptions.values():
            if subscription.revalidations and subscription.receives(group):
                self._hold(subscription, frames)
                return
        if not (self.is_closing or self.transport.write(frames)):
            self.drop()

    def deliver_presence(self, channel: str, frames: Frames) -> None:
        """Write frames about the members of a channel, or hold them while its subscription is revalidated."""
        subscription = self.subscriptions.get(channel)
        if subscription is not None and subscription.revalidations:
            self._hold(subscription, frames)
        else:
            self.write_frames(frames)

    def _hold(self, subscription: Subscription, frames: Frames) -> None:
        subscription.held.append(frames)
        if sum(len(each.texts) for each in subscription.held) > limits.MAX_PENDING_FRAMES:
            self.fail(close_codes.AUTHORIZATION_TOO_SLOW)

    def resume_direct_writes(self) -> None:
        """Let the hub write to the transport directly, unless frames are held."""
        if not (self.revalidation.is_running or self.is_closing):
            self.write_now = self.transport.send_now

    def sweep(self, now: float) -> None:
        """Ping a silent client, close it if it does not answer; `now` in monotonic seconds."""
        settings, silence = config(), now - self.received_at
        if self.opened_at < now:
            self.revalidation.sweep(now)
        if silence > settings.activity_timeout + settings.pong_timeout and self._is_pinged:
            self.fail(close_codes.PONG_TIMEOUT)
        elif silence > settings.activity_timeout and not self._is_pinged:
            self._is_pinged = True
            self.write(protocol.frame("pusher:ping", data="{}"))
        elif self._is_idle_anonymous(now):
            self.fail(close_codes.NOT_AUTHENTICATED.format(seconds=settings.authentication_timeout))

    def _is_idle_anonymous(self, now: float) -> bool:
        """Return whether the connection has no user and no subscriptions: such are opened to exhaust the server."""
        seconds = config().authentication_timeout
        is_unused = self.sign_in.user_id is None and not self.subscriptions
        return bool(seconds) and is_unused and now - self.opened_at > seconds

    def is_subscribed(self, channel: str) -> bool:
        """Return whether the socket is in a group of the channel."""
        subscription = self.subscriptions.get(channel)
        return subscription is not None and subscription.audience is not None

    def joined(self) -> Iterator[Subscription]:
        """Yield the subscriptions whose group the socket is in."""
        return (each for each in self.subscriptions.values() if each.audience is not None)

    def report(self, process: str) -> SocketReport:
        """Return the user, address and channels of the connection, for the admin."""
        channels = sorted(each.channel for each in self.joined())
        return SocketReport(process, self.socket_id, self.sign_in.user_id, self.address, self._connected_at, channels)

    @abstractmethod
    def reauthorize(self, channels: set[str], *, whole_user: bool) -> None:
        """Authorize the user again for `channels`, subscribed or being subscribed; hold their frames until then."""

    # -- The end

    def fail(self, reason: CloseReason) -> None:
        """Send the reason and close: pusher-js derives from the code whether and when it reconnects."""
        if not self.is_closing:
            self.write(protocol.error(reason.code, reason.message))
            self._close_transport(reason)

    def drop(self) -> None:
        """Close a client that reads too slowly, without another frame: its write buffer is full."""
        if not self.is_closing:
            metrics.slow_consumers.inc()
            self._close_transport(close_codes.SLOW_CONSUMER)

    def _close_transport(self, reason: CloseReason) -> None:
        metrics.closed_connections.labels(reason.code).inc()
        self.stop_writing()
        self.has_lost_access = reason.ends_access
        self.hub.discard(self)
        self.transport.close(reason.code)

    def stop_writing(self) -> None:
        """Write nothing more."""
        self.is_closing, self.write_now = True, None

    def lost(self) -> None:
        """Release everything: the client is gone."""
        self.stop_writing()
        self.hub.discard(self)
        self.revalidation.stop()
