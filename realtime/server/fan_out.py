"""Write frames to the sockets of a group: encoded once, and one write per socket for the events of a burst."""

import asyncio
import logging
import time
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from realtime import metrics
from realtime.server.write_batching import BatchingPolicy
from realtime.websocket.frames import Frames

if TYPE_CHECKING:
    from realtime.server.connection import Connection

logger = logging.getLogger(__name__)

MAX_BATCH = 64  # events written together
POLL_INTERVAL = 0.001  # seconds between two looks for more events
QUIET_TURNS = 3  # of the event loop: the layer takes some between two messages that have both arrived


class FanOut:
    """The local sockets by group, and the frames that are about to be written to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.groups: dict[str, set[Connection]] = {}
        self.sent = 0  # frames since the last report
        self._loop = loop
        self._pending: list[tuple[str, str]] = []  # group and frame
        self._batching = BatchingPolicy()

    @property
    def is_idle(self) -> bool:
        """Whether no frame is pending."""
        return not self._pending

    def add(self, group: str, text: str) -> int:
        """Queue a frame for the sockets of a group, with what else arrives just now; return how many they are."""
        subscribers = len(self.groups.get(group, ()))
        if subscribers:
            self._pending.append((group, text))
            if len(self._pending) == 1:
                self._batching.start()
                self._loop.call_soon(self._flush_when_quiet, 1, 0)
            self.sent += subscribers
        return subscribers

    def add_for_others(self, group: str, text: str, except_socket: str) -> None:
        """Write a frame at once to the sockets of a group, except one (a socket id)."""
        self.flush()
        sockets = [each for each in self.groups.get(group, ()) if each.socket_id != except_socket]
        frames = Frames(text)
        for socket in sockets:
            socket.deliver(group, frames)
        self.sent += len(sockets)

    def _flush_when_quiet(self, seen: int, quiet: int) -> None:
        """Write once nothing has arrived for a few turns of the loop, or a full batch is pending."""
        size = len(self._pending)
        quiet = 0 if size > seen else quiet + 1
        if size >= MAX_BATCH or (quiet >= QUIET_TURNS and self._batching.allows_write(size)):
            self.flush()
        elif size and quiet < QUIET_TURNS:
            self._loop.call_soon(self._flush_when_quiet, size, quiet)
        elif size:
            self._loop.call_later(POLL_INTERVAL, self._flush_when_quiet, size, quiet)

    def flush(self) -> None:
        """Write the pending frames: consecutive frames of a group as one piece per socket."""
        if self._pending:
            started_at, pending, self._pending = time.monotonic(), self._pending, []
            self._write(pending)
            seconds = time.monotonic() - started_at
            metrics.fan_out_seconds.observe(seconds)
            self._batching.record(len(pending), seconds)

    def _write(self, pending: Iterable[tuple[str, str]]) -> None:
        for group, entries in groupby(pending, itemgetter(0)):
            frames = Frames(*(text for _, text in entries))
            for socket in tuple(self.groups.get(group, ())):
                try:
                    if (write_now := socket.write_now) is None:
                        socket.deliver(group, frames)
                    else:
                        write_now(frames.ready)
                except Exception:
                    logger.exception("write failed socket=%s group=%s", socket.socket_id, group)
