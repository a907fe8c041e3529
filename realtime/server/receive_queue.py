"""Handle the messages of one client in order; a task exists only while a message has to wait."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer

MAX_QUEUED = 16  # messages of one client; at that number, reading pauses


class PausableReader(Protocol):
    """The receiving end of a socket."""

    def pause_reading(self) -> None:
        """Read nothing more from the client."""

    def resume_reading(self) -> None:
        """Read again."""


class ReceiveQueue:
    """Passes what arrives on our WebSocket protocol to a consumer: a `TransportHandler`."""

    __slots__ = ("_has_ended", "_is_busy", "_queue", "_reader", "_task", "consumer")

    def __init__(self, consumer: "PusherConsumer", reader: PausableReader) -> None:
        self.consumer, self._reader = consumer, reader
        self._queue: list[str | None] = []
        self._task: asyncio.Task[None] | None = None  # a reference, so that it is not garbage
        self._is_busy = True  # opening
        self._has_ended = False

    async def open(self, scope: Mapping[str, Any]) -> None:
        """Open the connection, then handle what has arrived in the meantime."""
        await self._work(self.consumer.open(scope))

    def on_data(self) -> None:
        """Keep the connection alive by whatever the client sends."""
        self.consumer.touch()

    def on_text(self, text: str) -> None:
        """Handle a message, at once if nothing is in progress."""
        self._receive(text)

    def on_bytes(self, data: bytes) -> None:
        """Handle a binary message, which the Pusher protocol does not have."""
        self._receive(None)

    def on_write_buffer_full(self) -> None:
        """Drop the slow consumer."""
        self.consumer.drop()

    def on_close(self, code: int) -> None:
        """Release the connection once the message in progress is handled."""
        self._has_ended = True
        self.consumer.stop_writing()
        if not self._is_busy:
            self.consumer.lost()

    def _receive(self, text: str | None) -> None:
        if self._is_busy:
            self._queue.append(text)
            if len(self._queue) >= MAX_QUEUED:
                self._reader.pause_reading()
            return
        rest = self.consumer.handle(text, self._queue)
        if rest is not None:
            self._is_busy = True
            self._task = asyncio.create_task(self._work(rest))

    async def _work(self, rest: Coroutine[Any, Any, None] | None) -> None:
        try:
            while True:
                if rest is not None:
                    await rest
                if not self._queue:
                    break
                rest = self.consumer.handle(self._queue.pop(0), self._queue)
            self._reader.resume_reading()
        finally:
            self._task, self._is_busy = None, False
            if self._has_ended:
                self.consumer.lost()
