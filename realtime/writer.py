"""Writes to one socket without making anybody wait."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from realtime import limits

EXTENSION = "realtime.wire"  # where a server puts the end of its socket: scope["extensions"]
Done = Coroutine[Any, Any, None]


class Wire(Protocol):
    """The server's end of a socket, where the server offers it (`realtime.serving.websocket`)."""

    unread: int  # bytes that wait for the peer

    def write_text(self, text: str) -> None:
        """Send one text message at once; once the socket is closing, nothing."""


class Writer(Protocol):
    """Writes frames in order; a reader too slow for MAX_PENDING bytes is given up."""

    def write(self, text: str) -> None:
        """Send or queue one frame and return at once."""

    async def flushed(self) -> None:
        """Return once everything written will be ahead of a close."""


def writer_for(scope: Mapping[str, Any], send: Callable[[str], Done], give_up: Callable[[], Done]) -> Writer:
    """Return what writes to the socket of `scope`: straight to its wire, or by ASGI where the server shows none."""
    wire = scope.get("extensions", {}).get(EXTENSION)
    return FrameWriter(send, give_up) if wire is None else WireWriter(wire, give_up)


class WireWriter:
    """Writes to the wire, whose buffer is the queue."""

    def __init__(self, wire: Wire, give_up: Callable[[], Done]) -> None:
        self._wire, self._give_up = wire, give_up
        self._end: asyncio.Task[None] | None = None

    def write(self, text: str) -> None:
        """Send one frame; more than MAX_PENDING bytes that are not read are the last ones."""
        if self._end is None:
            self._wire.write_text(text)
            if self._wire.unread > limits.MAX_PENDING:
                self._end = asyncio.create_task(self._give_up())

    async def flushed(self) -> None:
        """Return at once: a close goes behind what was written."""


class FrameWriter:
    """Queues frames for ASGI's `send`, which waits for slow readers."""

    def __init__(self, send: Callable[[str], Done], give_up: Callable[[], Done]) -> None:
        self._send, self._give_up = send, give_up
        self._frames: deque[str] = deque()
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def write(self, text: str) -> None:
        """Queue one frame and return at once."""
        self._frames.append(text)
        self._size += _size(text)
        if self._size > limits.MAX_PENDING:
            self._stop()
            self._task = asyncio.create_task(self._give_up())
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def flushed(self) -> None:
        """Return once everything queued was written."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _stop(self) -> None:
        self._frames.clear()
        self._size = 0
        if self._task is not None:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._frames:
                text = self._frames.popleft()
                self._size -= _size(text)
                await self._send(text)
        except (OSError, RuntimeError):
            self._frames.clear()  # the other side is gone; disconnect() follows


def _size(text: str) -> int:
    """Return the bytes that a frame takes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
