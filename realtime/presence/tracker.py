"""Track the presence of one process's sockets: write their entries to the presence store, and send what changes."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from channels.db import database_sync_to_async

from realtime import protocol
from realtime.broadcasting import channel_layer
from realtime.broadcasting.messages import PresenceChanged
from realtime.conf import config
from realtime.presence.channels import CountedChannel, PresenceChannel, Subscriber, WatchedChannel, WatchedUser
from realtime.presence.store import (
    EntryChange,
    Occupancy,
    PresenceEvent,
    ProcessReport,
    SocketReport,
    SyncRequest,
    SyncResult,
    presence_store,
)
from realtime.protocol import Member

logger = logging.getLogger(__name__)

RECONNECT_GRACE = 3.0  # seconds that the entry of a closed socket is kept, so that a page reload is not a departure

EntryKey = tuple[str, str]  # channel, and the member's key; "" without a member
Channel = TypeVar("Channel", bound=WatchedChannel)


@dataclass
class LocalEntry:
    """The number of this process's sockets on a channel (for one member); without any, since when they are gone."""

    member: Member | None
    sockets: int = 0
    left_at: float | None = None  # monotonic seconds

    @property
    def has_expired(self) -> bool:
        """Whether RECONNECT_GRACE has passed since the last socket left."""
        return self.left_at is not None and self.left_at <= time.monotonic() - RECONNECT_GRACE


class PresenceHub(Protocol):
    """What the tracker needs of the hub."""

    process: str
    loop: asyncio.AbstractEventLoop

    @property
    def sockets(self) -> Collection[Any]:
        """The open sockets of this process."""

    def broadcast_presence(self, sockets: Iterable[Any], channel: str, text: str) -> None:
        """Send a frame about the presence on a channel to sockets."""

    async def send_to_layer(self, messages: Iterable[PresenceChanged]) -> None:
        """Send messages to their groups; they are lost if the layer is unavailable."""

    def report(self, seconds: float) -> ProcessReport:
        """Return the state of this process; rates are those of the last `seconds`."""

    def list_sockets(self) -> list[SocketReport]:
        """Return the connections of this process."""


class ConnectionCounts(Protocol):
    """The connection counts of this process that the store sums over all processes."""

    @property
    def has_released(self) -> bool:
        """Whether a count has become lower: other processes may refuse connections because of it."""

    def changes(self) -> Mapping[str, int]:
        """Return the counts that the store may not know."""

    def mark_synced(self, counts: Mapping[str, int]) -> None:
        """Note that the store knows these counts."""

    def resync(self) -> None:
        """Note that the store has lost all counts."""


class ChannelFull(Exception):
    """A presence channel has reached its maximum of members, which the text names."""


class PresenceTracker:
    """The presence entries of one process, and the channels whose subscribers receive presence updates."""

    def __init__(
        self, hub: PresenceHub, counts: ConnectionCounts, *, on_events: Callable[[list[PresenceEvent]], None]
    ) -> None:
        self._hub, self._counts, self._on_events = hub, counts, on_events
        self._entries: dict[EntryKey, LocalEntry] = {}
        self._of_socket: defaultdict[Subscriber, dict[str, EntryKey]] = defaultdict(dict)
        self._watched_by: defaultdict[Subscriber, set[str]] = defaultdict(set)
        self._changed: set[EntryKey] = set()  # entries to write
        self._kept: set[EntryKey] = set()  # entries in RECONNECT_GRACE
        self._to_announce: set[str] = set()  # channels whose change the other processes must learn of
        self._channels: dict[str, WatchedChannel] = {}
        self._stale: set[str] = set()  # channels to read
        self._waiting: list[asyncio.Future[None]] = []
        self._wanted = asyncio.Event()
        self._synced_at = self._read_all_at = self._lost_at = float("-inf")  # monotonic seconds
        self._lists_sockets = False

    # -- Entries

    def add(self, socket: Subscriber, channel: str, member: Member | None) -> None:
        """Count `socket` on a channel, for `member` on a presence channel."""
        key = (channel, "" if member is None else member.key)
        if self._of_socket[socket].get(channel) != key:
            self._release(socket, channel, keep=False)
            entry = self._entries.setdefault(key, LocalEntry(member))
            entry.sockets, entry.left_at = entry.sockets + 1, None
            self._of_socket[socket][channel] = key
            self._mark_changed(key)
        elif self._entries[key].member != member:
            self._mark_changed(key)
        self._entries[key].member = member

    def remove(self, socket: Subscriber, channel: str) -> None:
        """Stop counting `socket` on a channel, and sending it presence updates."""
        self._release(socket, channel, keep=False)
        self._unwatch(socket, channel)

    def discard(self, socket: Subscriber, *, may_return: bool) -> None:
        """Remove a closed socket; if it may return, its entries are kept for RECONNECT_GRACE seconds."""
        for channel in tuple(self._of_socket[socket]):
            self._release(socket, channel, keep=may_return)
        del self._of_socket[socket]
        for channel in self._watched_by.pop(socket, ()):
            self._unwatch(socket, channel)

    def expire_kept_entries(self, user_ids: set[str]) -> None:
        """End the grace of these users' entries at once: their access may have ended."""
        for key in [key for key in self._kept if key[1] in user_ids]:
            self._entries[key].left_at = float("-inf")
            self._mark_changed(key)

    @property
    def keeps_entries(self) -> bool:
        """Whether an entry without sockets is kept, or its removal is not written yet."""
        return any(not entry.sockets for entry in self._entries.values())

    def _release(self, socket: Subscriber, channel: str, *, keep: bool) -> None:
        key = self._of_socket[socket].pop(channel, None)
        if key is None:
            return
        entry = self._entries[key]
        entry.sockets -= 1
        if not entry.sockets:
            entry.left_at = time.monotonic() if keep else float("-inf")
        self._mark_changed(key)

    def _mark_changed(self, key: EntryKey) -> None:
        channel, member = key
        self._changed.add(key)
        if member or channel in self._channels or channel.startswith(protocol.SERVER_TO_USER):
            self._to_announce.add(channel)
            self._stale.add(channel)
            self._wanted.set()

    # -- Watched channels

    async def watch_members(self, socket: Subscriber, channel: str) -> dict[str, Member]:
        """Send `socket` the changes of a presence channel's members; return the members.

        Raises ChannelFull if its member is one too many.
        """
        watched = await self._watch(PresenceChannel(channel, self._hub.broadcast_presence), socket)
        key = self._of_socket[socket].get(channel)
        is_new = key is not None and key[1] in watched.members and self._entries[key].sockets == 1
        if is_new and len(watched.members) > config().max_members_per_channel:
            raise ChannelFull(f"A channel has at most {config().max_members_per_channel} members.")
        return watched.members

    async def watch_count(self, socket: Subscriber, channel: str) -> None:
        """Send `socket` the number of a public channel's subscriptions, now and when it changes."""
        watched = await self._watch(CountedChannel(channel, self._hub.broadcast_presence), socket)
        if socket in watched.subscribers:
            frame = protocol.subscription_count(channel, watched.sent_count)
            self._hub.broadcast_presence([socket], channel, frame)

    async def watch_users(self, socket: Subscriber, user_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Send `socket` when these users go online or offline; return those online, and those offline."""
        send = self._hub.broadcast_presence
        channels = [WatchedUser(protocol.SERVER_TO_USER + user_id, send) for user_id in user_ids]
        watched = await asyncio.gather(*(self._watch(channel, socket) for channel in channels))
        online = [user.user_id for user in watched if user.is_online]
        return online, [user.user_id for user in watched if not user.is_online]

    def refresh(self, channels: Iterable[str]) -> None:
        """Read channels again that another process has changed."""
        changed = self._channels.keys() & set(channels)
        if changed:
            self._stale |= changed
            self._wanted.set()

    async def _watch(self, new: Channel, socket: Subscriber) -> Channel:
        channel = self._channels.setdefault(new.name, new)
        if not isinstance(channel, type(new)):
            raise TypeError(f"{channel.name} is a {type(channel).__name__}.")
        self._stale.add(channel.name)
        channel.pending += 1
        try:
            await self._next_sync()
        finally:
            channel.pending -= 1
        if self._may_watch(socket, channel):
            channel.subscribers.add(socket)
            self._watched_by[socket].add(channel.name)
        return channel

    def _may_watch(self, socket: Subscriber, channel: WatchedChannel) -> bool:
        """Return whether `socket` is still open and subscribed: it may have been disconnected while it waited."""
        return socket in self._hub.sockets and (
            isinstance(channel, WatchedUser) or socket.is_subscribed(channel.name)
        )

    def _unwatch(self, socket: Subscriber, name: str) -> None:
        self._watched_by.get(socket, set()).discard(name)
        channel = self._channels.get(name)
        if channel is not None:
            channel.subscribers.discard(socket)

    # -- Synchronization with the store, one at a time for all that wait

    async def run(self) -> None:
        """Synchronize when something changes, and before the lease expires."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(config().tail_interval):  # wait_for would swallow a cancellation
                    await self._wanted.wait()
            self._wanted.clear()
            await self._sync()

    def _next_sync(self) -> asyncio.Future[None]:
        """Return a future that is done after the next synchronization that begins from now on."""
        done = self._hub.loop.create_future()
        self._waiting.append(done)
        self._wanted.set()
        return done

    async def _sync(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            await self._sync_once()
        except Exception:
            logger.exception("presence sync failed process=%s; retrying", self._hub.process)
        finally:
            for done in waiting:
                if not done.done():
                    done.set_result(None)

    async def _sync_once(self) -> None:
        self._end_grace()
        entries, self._changed = self._changed, set()
        to_announce, self._to_announce = self._to_announce, set()
        channels = self._channels_to_read()
        try:
            await self._exchange(entries, channels)
            await self._announce(to_announce)
        except Exception as error:
            logger.warning(
                "presence store unavailable process=%s error=%r; using local entries", self._hub.process, error
            )
            self._changed |= entries
            self._to_announce |= to_announce
            self._update_from_local_entries(channels)

    async def _announce(self, channels: set[str]) -> None:
        if channels:
            await self._hub.send_to_layer([PresenceChanged(sorted(channels))])

    def _end_grace(self) -> None:
        for key in tuple(self._kept):
            entry = self._entries[key]
            if entry.left_at is None or entry.has_expired:
                self._mark_changed(key)

    def _channels_to_read(self) -> list[str]:
        now = time.monotonic()
        self._channels = {name: each for name, each in self._channels.items() if each.subscribers or each.pending}
        # Without a layer that announces changes of other processes, only frequent reading finds them.
        is_announced = channel_layer.reaches_every_process()
        period = config().renew_interval if is_announced else config().tail_interval
        if now - self._read_all_at >= period:
            self._read_all_at = now
            self._stale |= self._channels.keys()
        names, self._stale = self._stale & self._channels.keys(), set()
        return sorted(names)

    async def _exchange(self, keys: set[EntryKey], channels: list[str]) -> None:
        now = time.monotonic()
        is_due = now - self._synced_at >= config().renew_interval
        counts = self._counts.changes() if is_due or self._counts.has_released else {}
        if not (keys or channels or is_due or counts):
            return
        request = SyncRequest(
            self._hub.process,
            [self._change(key) for key in keys],
            report=self._hub.report(now - self._synced_at) if is_due else None,
            sockets=self._hub.list_sockets() if is_due and self._lists_sockets else None,
            channels=channels,
            connection_counts=counts,
        )
        result = await database_sync_to_async(self._call_store)(request)
        self._counts.mark_synced(counts)
        if not result.had_lease and self._synced_at > float("-inf"):
            self._write_all(now)
        if is_due:
            self._synced_at, self._lists_sockets = now, result.wants_sockets
        self._forget_removed(keys)
        self._update(result.occupancies, is_complete=now - self._lost_at > 2 * config().renew_interval)

    def _call_store(self, request: SyncRequest) -> SyncResult:
        result = presence_store().sync(request)
        self._on_events(result.events)
        return result

    def _change(self, key: EntryKey) -> EntryChange:
        entry = self._entries[key]
        return EntryChange(key[0], None if entry.has_expired else entry.sockets, entry.member)

    def _forget_removed(self, keys: set[EntryKey]) -> None:
        """Delete the entries that the store has removed; remember those in RECONNECT_GRACE."""
        for key in keys - self._changed:
            if self._entries[key].has_expired:
                del self._entries[key]
        self._kept = {key for key in self._kept | keys if key in self._entries and not self._entries[key].sockets}

    def _write_all(self, now: float) -> None:
        """Write every entry again: the store was emptied, or removed this process."""
        self._lost_at = now
        self._counts.resync()
        self._changed |= self._entries.keys()
        self._to_announce |= {channel for channel, member in self._entries if member}
        self._wanted.set()

    def _update(self, occupancies: dict[str, Occupancy], *, is_complete: bool) -> None:
        for name, occupancy in occupancies.items():
            if name in self._channels:
                self._channels[name].update(occupancy, is_complete=is_complete)

    def _update_from_local_entries(self, channels: list[str]) -> None:
        occupancies: dict[str, Occupancy] = {}
        for (name, key), entry in self._entries.items():
            if name in channels and entry.sockets:
                known = occupancies.get(name, Occupancy())
                members = known.members if entry.member is None else known.members | {key: entry.member}
                occupancies[name] = Occupancy(known.subscriptions + entry.sockets, members)
        self._update(occupancies, is_complete=False)
