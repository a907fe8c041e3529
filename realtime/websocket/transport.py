"""The sending end of a socket: our own WebSocket protocol, or any ASGI server's `send`."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from realtime import limits
from realtime.websocket.frames import Frames


class Transport(Protocol):
    """Writes frames in order, without waiting for a slow reader."""

    @property
    def send_now(self) -> Callable[[bytes], None] | None:
        """Writes encoded frames with no check at all, or None if the transport cannot; invalid once it is closed."""

    def write(self, frames: Frames) -> bool:
        """Send or queue frames. Returns False if more than `limits.MAX_WRITE_BUFFER` bytes wait.

        Our own protocol always returns True: asyncio calls its `pause_writing` at that size instead.
        """

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame after what was written, and return at once. Nothing is written after it."""


class TransportHandler(Protocol):
    """Receives what arrives on a socket. No method may block."""

    def on_data(self) -> None:
        """Note that the client is there: bytes have come, also of a ping, a pong or an incomplete message."""

    def on_text(self, text: str) -> None:
        """Handle a text message."""

    def on_bytes(self, data: bytes) -> None:
        """Handle a binary message."""

    def on_write_buffer_full(self) -> None:
        """Handle a client that reads too slowly."""

    def on_close(self, code: int) -> None:
        """Handle the end, with its close code (RFC 6455, section 7.1.5). Called once."""


class ASGITransport:
    """Queues frames for ASGI's `send`, which waits for slow readers."""

    send_now = None

    def __init__(
        self, send: Callable[[str], Coroutine[Any, Any, None]], close: Callable[[int], Coroutine[Any, Any, None]]
    ) -> None:
        self._send, self._close = send, close
        self._texts: deque[str] = deque()
        self._size = 0  # bytes
        self._sending: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def write(self, frames: Frames) -> bool:
        """Queue frames; an overfull queue is dropped."""
        self._texts.extend(frames.texts)
        self._size += sum(map(_size, frames.texts))
        if self._size > limits.MAX_WRITE_BUFFER:
            self._drop()
            return False
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all())
        return True

    def close(self, code: int, reason: str = "") -> None:
        """Close once the queue is sent, or `limits.CLOSE_TIMEOUT` has passed."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close_after_queue(code))

    async def _close_after_queue(self, code: int) -> None:
        if self._sending is not None:
            await asyncio.wait({self._sending}, timeout=limits.CLOSE_TIMEOUT)
        await self._close(code)

    def _drop(self) -> None:
        self._texts.clear()
        self._size = 0
        if self._sending is not None:
            self._sending.cancel()

    async def _send_all(self) -> None:
        try:
            while self._texts:
                text = self._texts.popleft()
                self._size -= _size(text)
                await self._send(text)
        except (OSError, RuntimeError):
            self._texts.clear()  # the client is gone


def _size(text: str) -> int:
    """Return the size of a text in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode())
