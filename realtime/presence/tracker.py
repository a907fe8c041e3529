"""Who is here: the seats that this process's sockets take in the census, and the rooms whose listeners are told.

What is told is found by comparing: a room's listeners are told the difference between who they know to be there and
who the census says is there. So nobody comes twice or stays for ever, whatever was lost, and whichever process died.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from channels.db import database_sync_to_async
from channels.layers import InMemoryChannelLayer

from realtime import protocol
from realtime.broadcasting.messages import PresenceChanged
from realtime.conf import config
from realtime.presence import store
from realtime.presence.store import Change, Occupancy, SyncRequest
from realtime.protocol import Member

if TYPE_CHECKING:
    from realtime.server.connection import Connection as Socket
    from realtime.server.hub import Hub

logger = logging.getLogger(__name__)

GRACE = 3.0  # seconds that a seat is kept for a socket that went away: a page that loads anew never left
OFTEN_UP_TO = 100  # listeners of a counted channel that are told each change at once
SELDOM = 5.0  # seconds between two counts for more of them

Send = Callable[[Iterable["Socket"], str, str], None]  # to sockets, about a channel, a frame
Seat = tuple[str, str]  # channel, and the member's key; "" for listeners without a name
R = TypeVar("R", bound="WatchedChannel")


@dataclass
class SeatState:
    """A seat that sockets of this process have, or had until `left_at` (monotonic seconds)."""

    member: Member | None
    sockets: int = 0
    left_at: float | None = None


class Full(Exception):
    """A presence channel has no place for one more; the text says how many it has."""


class WatchedChannel(ABC):
    """A channel whose listeners are told who is there, or how many."""

    def __init__(self, channel: str, send: "Send") -> None:
        self.channel, self._send = channel, send
        self.listeners: set[Socket] = set()
        self.expected = 0  # sockets that are about to listen

    @abstractmethod
    def update(self, occupancy: Occupancy, *, is_whole: bool) -> None:
        """Tell what has changed; what is missing counts as gone only if the census `is_whole`."""

    def tell(self, frame: str) -> None:
        """Write a frame to every listener."""
        self._send(tuple(self.listeners), self.channel, frame)


class PresenceRoom(WatchedChannel):
    """A presence channel: its listeners know its members."""

    def __init__(self, channel: str, send: "Send") -> None:
        super().__init__(channel, send)
        self.members: dict[str, Member] = {}

    def update(self, occupancy: Occupancy, *, is_whole: bool) -> None:
        """Tell who came and who went."""
        known, now = self.members, occupancy.members
        self.members = now if is_whole else known | now
        for key in known.keys() - self.members.keys():
            self.tell(protocol.member_removed(self.channel, known[key]))
        for key, member in self.members.items():
            if known.get(key) != member:
                self.tell(protocol.member_added(self.channel, member))


class CountedRoom(WatchedChannel):
    """A public channel that tells how many listen."""

    def __init__(self, channel: str, send: "Send") -> None:
        super().__init__(channel, send)
        self.told = 0
        self._told_at = float("-inf")

    def update(self, occupancy: Occupancy, *, is_whole: bool) -> None:
        """Tell the number, if it is another one; to many listeners not too often."""
        count, now = occupancy.subscriptions, time.monotonic()
        if count == self.told or (count > OFTEN_UP_TO and now - self._told_at < SELDOM):
            return
        self.told, self._told_at = count, now
        self.tell(protocol.subscription_count(self.channel, count))


class WatchedPerson(WatchedChannel):
    """The channel of a person on somebody's watch-list: he is online while any socket hears it."""

    is_online = False

    @property
    def user_id(self) -> str:
        """Whose channel it is."""
        return self.channel.removeprefix(protocol.SERVER_TO_USER)

    def update(self, occupancy: Occupancy, *, is_whole: bool) -> None:
        """Tell whoever watches that the person came or went."""
        before, self.is_online = self.is_online, bool(occupancy.subscriptions) or (self.is_online and not is_whole)
        if before is not self.is_online:
            online, offline = ([self.user_id], []) if self.is_online else ([], [self.user_id])
            self.tell(protocol.watchlist_events(online, offline))


class PresenceTracker:
    """The seats of one process, and its rooms."""

    def __init__(self, hub: "Hub", *, on_events: Callable[[list[dict[str, str]]], None]) -> None:
        self._hub, self._on_events = hub, on_events
        self._seats: dict[Seat, SeatState] = {}
        self._of_socket: defaultdict[Socket, dict[str, Seat]] = defaultdict(dict)
        self._listening: defaultdict[Socket, set[str]] = defaultdict(set)  # to which rooms
        self._changed: set[Seat] = set()  # what the census has not been told
        self._kept: set[Seat] = set()  # empty seats whose GRACE runs
        self._news: set[str] = set()  # channels of which the other processes must hear
        self._rooms: dict[str, WatchedChannel] = {}
        self._stale: set[str] = set()  # rooms to look at
        self._waiting: list[asyncio.Future[None]] = []
        self._wanted = asyncio.Event()
        self._said_at = self._looked_at = self._lost_at = float("-inf")  # monotonic seconds
        self._lists_sockets = False

    # -- Seats

    def sit(self, socket: "Socket", channel: str, member: Member | None) -> None:
        """Give `socket` its seat on a channel, by the name of `member` on a presence channel."""
        seat = (channel, "" if member is None else member.key)
        if self._of_socket[socket].get(channel) != seat:
            self._vacate(socket, channel, keep=False)
            taken = self._seats.setdefault(seat, SeatState(member))
            taken.sockets, taken.left_at = taken.sockets + 1, None
            self._of_socket[socket][channel] = seat
            self._note(seat)
        elif self._seats[seat].member != member:
            self._note(seat)
        self._seats[seat].member = member

    def stand_up(self, socket: "Socket", channel: str) -> None:
        """Take the seat from `socket`, which hears of the channel no more."""
        self._vacate(socket, channel, keep=False)
        self._stop_listening(socket, channel)

    def discard(self, socket: "Socket", *, may_return: bool) -> None:
        """Take all from a socket that is closed; the seats of one that may return are kept for GRACE seconds."""
        for channel in tuple(self._of_socket[socket]):
            self._vacate(socket, channel, keep=may_return)
        del self._of_socket[socket]
        for channel in self._listening.pop(socket, ()):
            self._stop_listening(socket, channel)

    def clear_seats_kept_for(self, user_ids: set[str]) -> None:
        """Keep no empty seat for these people: their access may have ended."""
        for seat in [seat for seat in self._kept if seat[1] in user_ids]:
            self._seats[seat].left_at = float("-inf")
            self._note(seat)

    @property
    def keeps_seats(self) -> bool:
        """Whether a seat is kept for somebody who may come back, or the census has not been told that it is not."""
        return any(not taken.sockets for taken in self._seats.values())

    def _vacate(self, socket: "Socket", channel: str, *, keep: bool) -> None:
        seat = self._of_socket[socket].pop(channel, None)
        if seat is None:
            return
        taken = self._seats[seat]
        taken.sockets -= 1
        if not taken.sockets:
            taken.left_at = time.monotonic() if keep else float("-inf")
        self._note(seat)

    def _note(self, seat: Seat) -> None:
        channel, key = seat
        self._changed.add(seat)
        if key or channel in self._rooms or channel.startswith(protocol.SERVER_TO_USER):
            self._news.add(channel)
            self._stale.add(channel)
            self._wanted.set()

    # -- Rooms

    async def enter(self, socket: "Socket", channel: str) -> dict[str, Member]:
        """Have `socket` hear who comes to a presence channel and who goes; return who is there, himself included.

        Raises `Full` where it brings one member too many.
        """
        room = await self._listen(PresenceRoom(channel, self._hub.broadcast_presence), socket)
        seat = self._of_socket[socket].get(channel)
        is_new = seat is not None and seat[1] in room.members and self._seats[seat].sockets == 1
        if is_new and len(room.members) > config().max_members_per_channel:
            raise Full(f"A channel has at most {config().max_members_per_channel} members.")
        return room.members

    async def count(self, socket: "Socket", channel: str) -> None:
        """Have `socket` hear how many listen to a public channel."""
        room = await self._listen(CountedRoom(channel, self._hub.broadcast_presence), socket)
        if socket in room.listeners:
            self._hub.broadcast_presence([socket], channel, protocol.subscription_count(channel, room.told))

    async def watch(self, socket: "Socket", user_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """Have `socket` hear when these people come online or go; return who is online, and who is not."""
        rooms = [
            WatchedPerson(protocol.SERVER_TO_USER + user_id, self._hub.broadcast_presence) for user_id in user_ids
        ]
        watched = await asyncio.gather(*(self._listen(room, socket) for room in rooms))
        online = [room.user_id for room in watched if room.is_online]
        return online, [room.user_id for room in watched if not room.is_online]

    def hear_news(self, channels: Iterable[str]) -> None:
        """Look again at rooms that another process has changed."""
        changed = self._rooms.keys() & set(channels)
        if changed:
            self._stale |= changed
            self._wanted.set()

    async def _listen(self, new: R, socket: "Socket") -> R:
        room = self._rooms.setdefault(new.channel, new)
        if not isinstance(room, type(new)):
            raise TypeError(f"{room.channel} is a {type(room).__name__}.")
        self._stale.add(room.channel)
        room.expected += 1
        try:
            await self._next_round()
        finally:
            room.expected -= 1
        if self._may_listen(socket, room):
            room.listeners.add(socket)
            self._listening[socket].add(room.channel)
        return room

    def _may_listen(self, socket: "Socket", room: WatchedChannel) -> bool:
        """Say whether `socket` is still there, and on the channel: while it waited it may have been hung up on."""
        return socket in self._hub.sockets and (isinstance(room, WatchedPerson) or socket.is_subscribed(room.channel))

    def _stop_listening(self, socket: "Socket", channel: str) -> None:
        self._listening.get(socket, set()).discard(channel)
        room = self._rooms.get(channel)
        if room is not None:
            room.listeners.discard(socket)

    # -- Rounds: one conversation with the census at a time, for all who wait

    async def run(self) -> None:
        """Tell the census what has changed, soon and again before the lease runs out, and look at the rooms."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(config().tail_interval):  # wait_for would swallow a cancellation
                    await self._wanted.wait()
            self._wanted.clear()
            await self._round()

    def _next_round(self) -> asyncio.Future[None]:
        """Return what is done when a round that begins after now is."""
        done = self._hub.loop.create_future()
        self._waiting.append(done)
        self._wanted.set()
        return done

    async def _round(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            await self._tell_and_ask()
        except Exception:
            logger.exception("Who is here could not be told; the next round tells it.")
        finally:
            for done in waiting:
                if not done.done():
                    done.set_result(None)

    async def _tell_and_ask(self) -> None:
        self._end_grace()
        seats, self._changed = self._changed, set()
        news, self._news = self._news, set()
        rooms = self._rooms_to_look_at()
        try:
            await self._converse(seats, rooms)
            await self._announce(news)
        except Exception as error:
            logger.warning("The census cannot be asked (%s): only this process's own people are known.", error)
            self._changed |= seats
            self._news |= news
            self._show_own(rooms)

    async def _announce(self, channels: set[str]) -> None:
        if channels:
            await self._hub.send_to_layer([PresenceChanged(sorted(channels))])

    def _end_grace(self) -> None:
        limit = time.monotonic() - GRACE
        for seat in [seat for seat in self._kept if (self._seats[seat].left_at or limit) <= limit]:
            self._note(seat)

    def _rooms_to_look_at(self) -> list[str]:
        now = time.monotonic()
        self._rooms = {name: room for name, room in self._rooms.items() if room.listeners or room.expected}
        # Where no layer brings news from other processes, looking often is the only way to hear of them.
        is_alone = isinstance(self._hub.layer, InMemoryChannelLayer)
        period = config().tail_interval if is_alone else config().renew_interval
        if now - self._looked_at >= period:
            self._looked_at = now
            self._stale |= self._rooms.keys()
        rooms, self._stale = self._stale & self._rooms.keys(), set()
        return sorted(rooms)

    async def _converse(self, seats: set[Seat], rooms: list[str]) -> None:
        now = time.monotonic()
        is_due = now - self._said_at >= config().renew_interval
        if not (seats or rooms or is_due):
            return
        report = self._hub.report(now - self._said_at) if is_due else None
        sockets = self._hub.list_sockets() if is_due and self._lists_sockets else None
        crowd = self._hub.connection_limits.changes() if is_due else {}
        word = SyncRequest(self._hub.process, [self._change(seat) for seat in seats], report, sockets, rooms, crowd)
        answer = await database_sync_to_async(self._exchange)(word)
        self._hub.connection_limits.mark_synced(crowd)
        if not answer.known and self._said_at > float("-inf"):
            self._begin_anew(now)
        if is_due:
            self._said_at, self._lists_sockets = now, answer.wants_sockets
        self._forget_empty(seats)
        self._show(answer.occupancies, is_whole=now - self._lost_at > 2 * config().renew_interval)

    def _change(self, seat: Seat) -> Change:
        taken = self._seats[seat]
        if taken.left_at is not None and taken.left_at <= time.monotonic() - GRACE:
            return Change(seat[0], None, taken.member)
        return Change(seat[0], taken.sockets, taken.member)

    def _forget_empty(self, seats: set[Seat]) -> None:
        """Drop the seats that the census knows to be empty for good; remember those whose GRACE runs."""
        for seat in seats - self._changed:
            if self._change(seat).sockets is None:
                del self._seats[seat]
        self._kept = {seat for seat in self._kept | seats if seat in self._seats and not self._seats[seat].sockets}

    def _begin_anew(self, now: float) -> None:
        """Say everything again: the store was emptied, or this process was taken for dead."""
        self._lost_at = now
        self._hub.connection_limits.resync()
        self._changed |= self._seats.keys()
        self._news |= {channel for channel, key in self._seats if key}
        self._wanted.set()

    def _show(self, occupancies: dict[str, Occupancy], *, is_whole: bool) -> None:
        for channel, occupancy in occupancies.items():
            if channel in self._rooms:
                self._rooms[channel].update(occupancy, is_whole=is_whole)

    def _show_own(self, rooms: list[str]) -> None:
        """Let the rooms know at least of this process's own people."""
        own: dict[str, Occupancy] = {}
        for (channel, key), taken in self._seats.items():
            if channel in rooms and taken.sockets:
                known = own.get(channel, Occupancy())
                members = known.members if taken.member is None else known.members | {key: taken.member}
                own[channel] = Occupancy(known.subscriptions + taken.sockets, members)
        self._show(own, is_whole=False)

    def _exchange(self, word: SyncRequest) -> store.SyncResult:
        answer = store.sync(word)
        self._on_events(answer.events)
        return answer
