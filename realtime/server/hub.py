"""One process's sockets: hears the channel layer once, writes the same frame to every local socket of a group."""

import asyncio
import logging
import os
import socket as network
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

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
from realtime.channels import Audience
from realtime.conf import config
from realtime.presence.store import Report, SocketReport
from realtime.presence.tracker import PresenceTracker
from realtime.server.connection_limits import ConnectionLimits
from realtime.server.group_membership import GroupMembership
from realtime.server.last_events import LastEvents
from realtime.server.log_tailer import LogTailer
from realtime.server.query_batcher import QueryBatcher
from realtime.server.session_cache import SessionCache
from realtime.server.write_batching import BatchingPolicy
from realtime.webhooks import delivery
from realtime.websocket.frames import Frames

logger = logging.getLogger(__name__)

LAYER_TIMEOUT = 1  # seconds to wait for the layer
REMEMBER = 60  # seconds that a delivery's id is remembered, so that nobody is told twice
SWEEP_INTERVAL = 5  # seconds between two looks for silent sockets
AT_ONCE = 64  # messages of the layer that are written together
PAUSE = 0.001  # seconds between two looks whether more has come
QUIET_TURNS = 3  # of the loop; the layer takes some from one message to the next, even if both have come

_hubs: dict[asyncio.AbstractEventLoop, "Hub"] = {}


class Socket(Protocol):
    """What the hub needs of a consumer."""

    socket_id: str
    user_id: str | None
    signed_in: str | None  # the person's id as other back ends spell it
    address: str
    subscriptions: dict[str, Audience]
    is_cut_off: bool
    direct: Callable[[bytes], None] | None  # writes a group's ready frames, while nothing speaks against it

    def channels(self) -> set[str]:
        """Return what it hears, or has just asked to hear."""

    def hear(self, group: str, frames: Frames) -> None:
        """Write frames of a group, without waiting."""

    def hear_of(self, channel: str, frames: Frames) -> None:
        """Write frames about who is on a channel, without waiting."""

    def hang_up(self, reason: str) -> None:
        """Close with a code that says not to come back."""

    def send_away(self) -> None:
        """Close with a code that says to come back at once, to another process."""

    def report(self, process: str) -> SocketReport:
        """Return whose this is, and what it hears."""

    def recheck(self, channels: set[str], *, whole_person: bool) -> None:
        """Ask the rules of `channels` again; nothing more of them is told until they have answered."""

    def sweep(self, now: float) -> None:
        """Ping if silent for long, close if a ping went unanswered; `now` in monotonic seconds."""


class Hub:
    """The sockets of one event loop, by the groups they are in."""

    def __init__(self) -> None:
        self.process = f"{network.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.loop = asyncio.get_running_loop()
        self.layer = default_layer()
        self.tail = LogTailer(self)
        self.presence = PresenceTracker(self, on_events=delivery.enqueue)
        self.crowd = ConnectionLimits(self.process)
        self.lookups = QueryBatcher()
        self.memory = SessionCache(lambda: self.tail.is_current)
        self.recent = LastEvents()
        self.groups: dict[str, set[Socket]] = {}
        self.sockets: set[Socket] = set()
        self.told: defaultdict[int, int] = defaultdict(int)
        self.sent = self.received = 0  # frames since the last report
        self.is_leaving = False  # the process ends soon: whoever comes is sent away
        self._began_at = time.time()
        self._membership = GroupMembership(self.layer, self.hears)
        self._heard: dict[int, float] = {}  # when each delivery was told, the first one first
        self._pending: list[tuple[str, str]] = []  # group and frame, about to be written
        self._pace = BatchingPolicy()
        self._tasks: list[asyncio.Task[None]] = []
        self._started = asyncio.Lock()

    # -- Life

    async def add(self, socket: Socket) -> None:
        """Take in a socket; the first one starts the process's receiver, tail and timer."""
        self.sockets.add(socket)
        async with self._started:
            if not self._tasks:
                await self._start()

    async def _start(self) -> None:
        await self.tail.start()
        await self._membership.open()
        forever = (self._receive(), self.tail.run(), self.presence.run(), self._sweep(), delivery.deliver_forever())
        self._tasks = [self.loop.create_task(each) for each in forever]
        # Revocations must be heard here before the first event that they forbid.
        await self._membership.join(PROCESS_GROUPS)

    def discard(self, socket: Socket) -> None:
        """Let a socket go, with all its groups; the layer's groups without a socket are left at the next tail."""
        self.flush()
        self.sockets.discard(socket)
        self.crowd.discard(socket)
        for channel, audience in socket.subscriptions.items():
            self.leave(socket, channel, audience)
        self.presence.discard(socket, may_return=not socket.is_cut_off)

    async def close(self) -> None:
        """Stop the tasks of this process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        _hubs.pop(self.loop, None)
        channel_layer.unregister_hub_loop(self.loop)

    # -- Groups

    async def prepare(self, channels: Mapping[str, Audience]) -> None:
        """Have the layer deliver channels here, of which a socket will soon be heard as this or that audience."""
        await self._membership.join([group_name(*each) for each in channels.items()])

    async def join(self, socket: Socket, channel: str, audience: Audience) -> None:
        """Have `socket` hear `channel` as `audience`; on return the layer delivers it here, or is down."""
        self.flush()
        group = group_name(channel, audience)
        self.groups.setdefault(group, set()).add(socket)
        await self._membership.join((group,))

    def leave(self, socket: Socket, channel: str, audience: Audience) -> None:
        """Stop telling `socket` what `channel` tells `audience`."""
        self.flush()
        self.groups.get(group_name(channel, audience), set()).discard(socket)

    def doubt_layer(self) -> None:
        """Join the layer's groups again at the next chance: the tail found what the layer should have told."""
        self._membership.doubt()

    async def mend(self) -> None:
        """Join the groups that the layer failed to join or may have dropped, and leave those that nobody hears."""
        for group in [group for group in self.groups if not self.hears(group)]:
            del self.groups[group]
        await self._membership.mend({*self.groups, *PROCESS_GROUPS})

    # -- Telling

    def deliver(self, message: Deliver) -> None:
        """Write a delivery's frame to the local sockets of its group, unless it was heard before."""
        if message.id in self._heard:
            return
        self._heard[message.id] = time.monotonic()
        if message.group in PROCESS_GROUPS:
            self._obey(message)
            return
        listeners = self._write(message.group, message.frame)
        if message.wants_receipt:
            self.told[message.broadcast_id] += listeners

    def _write(self, group: str, text: str) -> int:
        """Have a frame written to the sockets of a group, with what else comes just now; count them."""
        listeners = len(self.groups.get(group, ()))
        if listeners:
            self._pending.append((group, text))
            if len(self._pending) == 1:
                self._pace.begin()
                self.loop.call_soon(self._gather, 1, 0)
            self.sent += listeners
        return listeners

    def _gather(self, seen: int, quiet: int) -> None:
        """Write what is pending once the layer has brought nothing for a few turns of the loop, or much."""
        size = len(self._pending)
        quiet = 0 if size > seen else quiet + 1
        if size >= AT_ONCE or (quiet >= QUIET_TURNS and self._pace.allows(size)):
            self.flush()
        elif size and quiet < QUIET_TURNS:
            self.loop.call_soon(self._gather, size, quiet)
        elif size:
            self.loop.call_later(PAUSE, self._gather, size, quiet)

    def flush(self) -> None:
        """Write what is pending: what one group is told in a row goes to each socket as one piece."""
        if self._pending:
            begun, pending, self._pending = time.monotonic(), self._pending, []
            self._put(pending)
            self._pace.wrote(len(pending), time.monotonic() - begun)

    def _put(self, pending: list[tuple[str, str]]) -> None:
        for group, told in groupby(pending, itemgetter(0)):
            frames = Frames(*(text for _, text in told))
            for socket in tuple(self.groups.get(group, ())):
                try:
                    if (direct := socket.direct) is None:
                        socket.hear(group, frames)
                    else:
                        direct(frames.ready)
                except Exception:
                    logger.exception("A frame could not be written to a socket; the others have it.")

    def _tell(self, message: Ephemeral) -> None:
        """Write what is in no log, to all of its group but the socket that it came from."""
        if not message.except_socket:
            self._write(message.group, message.frame)
            return
        self.flush()
        sockets = [each for each in self.groups.get(message.group, ()) if each.socket_id != message.except_socket]
        frames = Frames(message.frame)
        for socket in sockets:
            socket.hear(message.group, frames)
        self.sent += len(sockets)

    def broadcast_presence(self, sockets: Iterable[Socket], channel: str, text: str) -> None:
        """Write a frame about the presence on a channel to sockets, encoded once."""
        frames = Frames(text)
        for socket in sockets:
            socket.hear_of(channel, frames)

    def _obey(self, message: Deliver) -> None:
        match decode_command(message.frame):
            case Reauthorize() as command:
                self._recheck(command)
            case Relay(messages):
                for each in messages:
                    self._tell(each)
            case Unknown() as unknown:
                logger.warning("log command ignored type=%s delivery=%s", unknown.type, message.id)

    def has_heard(self, delivery_id: int) -> bool:
        """Say whether a delivery was told here already."""
        return delivery_id in self._heard

    def take_as_heard(self, delivery_ids: Iterable[int]) -> None:
        """Remember deliveries that concern nobody here, so that nobody is told them later as news."""
        self._heard |= dict.fromkeys(delivery_ids, time.monotonic())

    def hears(self, group: str) -> bool:
        """Say whether any socket of this process is in `group`."""
        return bool(self.groups.get(group)) or group in PROCESS_GROUPS

    def forget_old(self, still_read: set[int]) -> None:
        """Forget deliveries told over a minute ago, except those that the tail goes on reading."""
        now = time.monotonic()
        while self._heard:
            pk, told = next(iter(self._heard.items()))
            if told > now - REMEMBER:
                break
            del self._heard[pk]
            if pk in still_read:
                self._heard[pk] = now

    def _recheck(self, command: Reauthorize) -> None:
        self.flush()
        channels, users = set(command.channels), set(command.users)
        gone = {*command.disconnect_users, *command.disconnect_sockets}
        self.memory.forget(users | gone, channels)
        self.presence.clear_seats_kept_for(users | gone)
        for socket in tuple(self.sockets):
            if gone & {socket.user_id, socket.signed_in, socket.socket_id}:
                socket.hang_up("You were disconnected.")
            whole_person = socket.user_id in users
            asked = socket.channels() if whole_person else socket.channels() & channels
            if asked or whole_person:
                socket.recheck(asked, whole_person=whole_person)

    # -- What others are told of this process

    def report(self, seconds: float) -> Report:
        """Return how this process is doing; rates are those of the last `seconds`."""
        people = {socket.user_id for socket in self.sockets} - {None}
        subscriptions = sum(len(socket.subscriptions) for socket in self.sockets)
        rates = round(self.sent / seconds, 1), round(self.received / seconds, 1)
        self.sent = self.received = 0
        return Report(self.process, self._began_at, len(self.sockets), len(people), subscriptions, *rates)

    def list_sockets(self) -> list[SocketReport]:
        """Return this process's connections."""
        return [socket.report(self.process) for socket in self.sockets]

    # -- The layer

    async def announce(self, messages: Iterable[Ephemeral | PresenceChanged]) -> None:
        """Send messages to their groups; what the layer does not take is lost."""
        try:
            async with asyncio.timeout(LAYER_TIMEOUT):
                for message in messages:
                    await self.layer.group_send(message.group, encode(message))
        except Exception as error:
            logger.warning("The channel layer took no message (%s).", error or type(error))

    async def _receive(self) -> None:
        """Hear the layer for ever; never cancelled but at the end, since that would unsubscribe."""
        heard = 0  # since the sockets could write
        while True:
            if not self._membership.channel:
                await asyncio.sleep(config().tail_interval)
                continue
            try:
                heard += self._hear(await self.layer.receive(self._membership.channel))
                if heard >= AT_ONCE:
                    heard = 0
                    await asyncio.sleep(0)  # in a burst receive() never waits
            except Exception:
                logger.exception("A message of the channel layer could not be heard; the tail tells it.")
                await asyncio.sleep(config().tail_interval)

    def _hear(self, data: dict[str, Any]) -> int:
        """Handle a message of the layer, or each of a batch; return how many there were."""
        message = decode(data)
        messages = message.messages if isinstance(message, Batch) else (message,)
        for each in messages:
            self._hear_one(each)
        return len(messages)

    def _hear_one(self, message: LayerMessage) -> None:
        if isinstance(message, Deliver):
            self._hear_delivery(message)
        elif isinstance(message, Ephemeral):
            self._tell(message)
        elif isinstance(message, PresenceChanged):
            self.presence.hear_news(message.channels)
        elif isinstance(message, Barrier):
            self._membership.passed(message.id)
        elif isinstance(message, Unknown):
            logger.warning("layer message ignored type=%s; the log tailer delivers what is logged", message.type)

    def _hear_delivery(self, message: Deliver) -> None:
        if message.group != REAUTHORIZE_GROUP and not self._heard.keys() >= set(message.after):
            # The layer lost a revocation, or brings it late: the tail tells both, in the order of the log.
            self.tail.hurry()
        else:
            self.recent.hear(message.group, time.monotonic())
            self.deliver(message)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL)
            self.memory.forget_old(time.monotonic())
            for socket in tuple(self.sockets):
                try:
                    socket.sweep(time.monotonic())
                except Exception:
                    logger.exception("A socket could not be looked at; the others are.")


def here() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for closed in [other for other in _hubs if other.is_closed()]:
            del _hubs[closed]
        _hubs[loop] = Hub()
        channel_layer.register_hub_loop(loop)
    return _hubs[loop]
