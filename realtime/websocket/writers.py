"""Writes to one socket without making anybody wait."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from realtime import limits
from realtime.websocket.frames import Frames
from realtime.websocket.transport import Transport

Done = Coroutine[Any, Any, None]


class Writer(Protocol):
    """Writes frames in their order; a reader may be MAX_WRITE_BUFFER bytes behind."""

    @property
    def direct(self) -> Callable[[bytes], None] | None:
        """Where there is one, a way to write ready frames without more ado."""

    def write(self, frames: Frames) -> bool:
        """Send or queue frames and return at once; False says that too much waits for the reader already."""

    def close(self, code: int) -> None:
        """Close behind what was written, and return at once; nothing is written after that."""


class DirectTransport:
    """Writes to the wire, whose buffer is the queue."""

    __slots__ = ("_wire", "direct")

    def __init__(self, wire: Transport) -> None:
        self._wire = wire
        self.direct = wire.send_now

    def write(self, frames: Frames) -> bool:
        """Send frames; the wire says by itself who does not read them."""
        self._wire.write(frames.ready)
        return True

    def close(self, code: int) -> None:
        """Close."""
        self._wire.close(code)


class ASGITransport:
    """Queues frames for ASGI's `send`, which waits for slow readers."""

    direct = None

    def __init__(self, send: Callable[[str], Done], close: Callable[[int], Done]) -> None:
        self._send, self._close = send, close
        self._texts: deque[str] = deque()
        self._size = 0
        self._task: asyncio.Task[None] | None = None
        self._end: asyncio.Task[None] | None = None

    def write(self, frames: Frames) -> bool:
        """Queue frames; what waits when it is too much is forgotten."""
        self._texts.extend(frames.texts)
        self._size += sum(map(_size, frames.texts))
        if self._size > limits.MAX_WRITE_BUFFER:
            self._stop()
            return False
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return True

    def close(self, code: int) -> None:
        """Close once everything queued was written, or the reader has had the time for it."""
        if self._end is None:
            self._end = asyncio.create_task(self._close_behind(code))

    async def _close_behind(self, code: int) -> None:
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=limits.CLOSE_TIMEOUT)
        await self._close(code)

    def _stop(self) -> None:
        self._texts.clear()
        self._size = 0
        if self._task is not None:
            self._task.cancel()

    async def _drain(self) -> None:
        try:
            while self._texts:
                text = self._texts.popleft()
                self._size -= _size(text)
                await self._send(text)
        except (OSError, RuntimeError):
            self._texts.clear()  # the other side is gone


def _size(text: str) -> int:
    """Return the bytes that a frame takes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())
