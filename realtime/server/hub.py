"""The hub of a server process: its sockets, and what the channel layer and the event log deliver to them."""

import asyncio
import logging
import os
import socket as network
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter

from realtime import metrics
from realtime.broadcasting import channel_layer
from realtime.broadcasting.channel_layer import PROCESS_GROUPS, REAUTHORIZE_GROUP, default_layer, group_name
from realtime.broadcasting.messages import (
    Barrier,
    Batch,
    Deliver,
    Ephemeral,
    LayerMessage,
    PresenceChanged,
    Reauthorize,
    Relay,
    Unknown,
    decode,
    decode_command,
    encode,
)
from realtime.broadcasting.wake_ups import WakeUps
from realtime.channels import Audience
from realtime.conf import config
from realtime.presence.store import ProcessReport, SocketReport
from realtime.presence.tracker import PresenceTracker
from realtime.protocol import close_codes
from realtime.server.connection_limits import ConnectionLimits
from realtime.server.fan_out import MAX_BATCH, FanOut
from realtime.server.group_membership import GroupMembership
from realtime.server.last_events import LastEvents
from realtime.server.log_tailer import LogTailer
from realtime.server.query_batcher import QueryBatcher
from realtime.server.revalidation import SWEEP_INTERVAL
from realtime.server.session_cache import SessionCache
from realtime.webhooks import outbox
from realtime.websocket.frames import Frames

if TYPE_CHECKING:
    from realtime.server.connection import Connection

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1  # seconds to wait for the layer
REMEMBER = 60  # seconds that the id of a delivery is kept, so that a late copy is ignored

_hubs: dict[asyncio.AbstractEventLoop, "Hub"] = {}


class Hub:
    """The sockets of one event loop; receives each message of the layer once for all of them."""

    def __init__(self) -> None:
        self.process = f"{network.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.loop = asyncio.get_running_loop()
        self.layer = default_layer()
        self.log_tailer = LogTailer(self)
        self._wake_ups = WakeUps(self.log_tailer.wake)
        self.connection_limits = ConnectionLimits(self.process)
        self.presence = PresenceTracker(self, self.connection_limits, on_events=outbox.enqueue)
        self.queries = QueryBatcher()
        self.session_cache = SessionCache(lambda: self.log_tailer.is_current)
        self.last_events = LastEvents()
        self.fan_out = FanOut(self.loop)
        self.sockets: set[Connection] = set()
        self.receipts: defaultdict[int, int] = defaultdict(int)  # sockets reached, by broadcast
        self.received = 0  # messages of clients since the last report
        self.is_draining = False  # new connections are asked to reconnect
        self._started_at = time.time()
        self._membership = GroupMembership(self.layer, self.has_subscribers)
        self._delivered: dict[int, float] = {}  # when each delivery was made (monotonic seconds), oldest first
        self._tasks: list[asyncio.Task[None]] = []
        self._starting = asyncio.Lock()

    # -- Start and stop

    async def add(self, socket: "Connection") -> None:
        """Add a socket; the first one starts the receiver, the log tailer and the timers of the process."""
        self.sockets.add(socket)
        async with self._starting:
            if not self._tasks:
                await self._start()

    async def _start(self) -> None:
        await self.log_tailer.start()
        await self._membership.open()
        self._wake_ups.open()
        loops = (self._receive(), self.log_tailer.run(), self.presence.run(), self._sweep())
        self._tasks = [self.loop.create_task(each) for each in loops]
        # Revocations must be received here before the first event that they forbid.
        await self._membership.join(PROCESS_GROUPS)

    def discard(self, socket: "Connection") -> None:
        """Remove a socket from everything; the layer's empty groups are left at the next resync."""
        self.flush()
        self.sockets.discard(socket)
        self.connection_limits.discard(socket)
        for subscription in socket.joined():
            self.leave(socket, subscription.channel, subscription.audience)
        self.presence.discard(socket, may_return=not socket.has_lost_access)

    async def close(self) -> None:
        """Stop the tasks of this process."""
        self._wake_ups.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        _hubs.pop(self.loop, None)
        channel_layer.unregister_hub_loop(self.loop)

    # -- Groups

    async def prepare(self, channels: Mapping[str, Audience]) -> None:
        """Join the layer's groups of channels that a socket is about to join."""
        await self._membership.join([group_name(*each) for each in channels.items()])

    async def join(self, socket: "Connection", channel: str, audience: Audience) -> None:
        """Add `socket` to a group; on return the layer delivers the group here, or is unavailable."""
        self.flush()
        group = group_name(channel, audience)
        self.fan_out.groups.setdefault(group, set()).add(socket)
        await self._membership.join((group,))

    def leave(self, socket: "Connection", channel: str, audience: Audience | None) -> None:
        """Remove `socket` from a group."""
        self.flush()
        if audience is not None:
            self.fan_out.groups.get(group_name(channel, audience), set()).discard(socket)

    def has_subscribers(self, group: str) -> bool:
        """Return whether any socket of this process is in `group`, or the process itself needs it."""
        return bool(self.fan_out.groups.get(group)) or group in PROCESS_GROUPS

    def invalidate_groups(self) -> None:
        """Join all layer groups again at the next resync: the tailer found what the layer should have delivered."""
        self._membership.invalidate()

    async def resync_groups(self) -> None:
        """Join the groups that the layer refused or may have dropped, and leave those without subscribers."""
        groups = self.fan_out.groups
        for group in [group for group in groups if not self.has_subscribers(group)]:
            del groups[group]
        await self._membership.resync({*groups, *PROCESS_GROUPS})

    # -- Deliver

    def deliver(self, message: Deliver, way: Counter = metrics.by_layer) -> None:
        """Write a delivery's frame to the local sockets of its group, unless it was delivered before."""
        if message.id in self._delivered:
            return
        self._delivered[message.id] = time.monotonic()
        if message.group in PROCESS_GROUPS:
            self._run_command(message)
            return
        subscribers = self.fan_out.add(message.group, message.frame)
        if subscribers:
            _measure(message, subscribers, way)
        if message.wants_receipt:
            self.receipts[message.broadcast_id] += subscribers

    def flush(self) -> None:
        """Write what is pending for groups, before anything that must come after it."""
        self.fan_out.flush()

    def _deliver_ephemeral(self, message: Ephemeral) -> None:
        if message.except_socket:
            self.fan_out.add_for_others(message.group, message.frame, message.except_socket)
        else:
            self.fan_out.add(message.group, message.frame)

    def broadcast_presence(self, sockets: "Iterable[Connection]", channel: str, text: str) -> None:
        """Write a frame about the members of a channel to sockets, encoded once."""
        frames = Frames(text)
        for socket in sockets:
            socket.deliver_presence(channel, frames)

    def is_delivered(self, delivery_id: int) -> bool:
        """Return whether a delivery was made here already."""
        return delivery_id in self._delivered

    def mark_delivered(self, delivery_ids: Iterable[int]) -> None:
        """Record delivery ids without local subscribers, so that a late copy from the channel layer is ignored."""
        self._delivered |= dict.fromkeys(delivery_ids, time.monotonic())

    def remove_old(self, still_read: set[int]) -> None:
        """Forget deliveries older than REMEMBER, except those that the tailer still reads."""
        now = time.monotonic()
        while self._delivered:
            pk, delivered_at = next(iter(self._delivered.items()))
            if delivered_at > now - REMEMBER:
                break
            del self._delivered[pk]
            if pk in still_read:
                self._delivered[pk] = now

    # -- Commands

    def _run_command(self, message: Deliver) -> None:
        match decode_command(message.frame):
            case Reauthorize() as command:
                self._reauthorize(command)
            case Relay(messages):
                for each in messages:
                    self._deliver_ephemeral(each)
            case Unknown() as unknown:
                logger.warning("log command ignored type=%s delivery=%s", unknown.type, message.id)

    def _reauthorize(self, command: Reauthorize) -> None:
        self.flush()
        channels, users = set(command.channels), set(command.users)
        disconnected = {*command.disconnect_users, *command.disconnect_sockets}
        self.session_cache.invalidate(users | disconnected, channels)
        self.presence.expire_kept_entries(users | disconnected)
        for socket in tuple(self.sockets):
            sign_in = socket.sign_in
            if disconnected & {sign_in.user_id, sign_in.signed_in_id, socket.socket_id}:
                socket.fail(close_codes.DISCONNECTED)
            whole_user = sign_in.user_id in users
            affected = set(socket.subscriptions) if whole_user else channels & socket.subscriptions.keys()
            if affected or whole_user:
                socket.reauthorize(affected, whole_user=whole_user)

    # -- Reports

    def report(self, seconds: float) -> ProcessReport:
        """Return the state of this process; rates are those of the last `seconds`."""
        users = {socket.sign_in.user_id for socket in self.sockets} - {None}
        subscriptions = sum(1 for socket in self.sockets for _ in socket.joined())
        rates = round(self.fan_out.sent / seconds, 1), round(self.received / seconds, 1)
        self.fan_out.sent = self.received = 0
        metrics.connections.set(len(self.sockets))
        metrics.subscriptions.set(subscriptions)
        return ProcessReport(self.process, self._started_at, len(self.sockets), len(users), subscriptions, *rates)

    def list_sockets(self) -> list[SocketReport]:
        """Return the connections of this process."""
        return [socket.report(self.process) for socket in self.sockets]

    # -- The channel layer

    async def send_to_layer(self, messages: Iterable[Ephemeral | PresenceChanged]) -> None:
        """Send messages to their groups; they are lost if the layer is unavailable."""
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                for message in messages:
                    await self.layer.group_send(message.group, encode(message))
        except Exception as error:
            logger.warning("layer send failed process=%s error=%r", self.process, error)

    async def _receive(self) -> None:
        """Receive from the layer. Cancelled only at the end: cancelling `receive` unsubscribes the channel."""
        received = 0  # messages since the sockets could write
        while True:
            if not self._membership.channel:
                await asyncio.sleep(config().tail_interval)
                continue
            try:
                received += self._handle(await self.layer.receive(self._membership.channel))
                if received >= MAX_BATCH:
                    received = 0
                    await asyncio.sleep(0)  # in a burst `receive` never suspends
            except Exception:
                logger.exception("layer receive failed process=%s; the log tailer delivers", self.process)
                await asyncio.sleep(config().tail_interval)

    def _handle(self, data: dict[str, Any]) -> int:
        """Handle a message of the layer, or each of a batch; return how many there were."""
        message = decode(data)
        messages = message.messages if isinstance(message, Batch) else (message,)
        for each in messages:
            self._handle_one(each)
        return len(messages)

    def _handle_one(self, message: LayerMessage) -> None:
        if isinstance(message, Deliver):
            self._handle_delivery(message)
        elif isinstance(message, Ephemeral):
            self._deliver_ephemeral(message)
        elif isinstance(message, PresenceChanged):
            self.presence.refresh(message.channels)
        elif isinstance(message, Barrier):
            self._membership.pass_barrier(message.id)
        elif isinstance(message, Unknown):
            logger.warning("layer message ignored type=%s; the log tailer delivers what is logged", message.type)

    def _handle_delivery(self, message: Deliver) -> None:
        if message.after and message.group != REAUTHORIZE_GROUP and not self._delivered.keys() >= set(message.after):
            # The layer lost or delayed a message, or was joined after it: the tailer delivers both in order.
            self.log_tailer.wake()
        else:
            self.last_events.add_unread(message.group, time.monotonic())
            self.deliver(message)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            self.session_cache.remove_old(time.monotonic())
            for socket in tuple(self.sockets):
                try:
                    socket.sweep(time.monotonic())
                except Exception:
                    logger.exception("sweep failed socket=%s", socket.socket_id)


def _measure(message: Deliver, subscribers: int, way: Counter) -> None:
    way.inc()
    metrics.fan_out_sockets.observe(subscribers)
    if message.committed_at:  # clocks of two machines differ
        metrics.delivery_seconds.observe(max(0.0, time.time() - message.committed_at))


def here() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [other for other in _hubs if other.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
        channel_layer.register_hub_loop(loop)
    return _hubs[loop]
