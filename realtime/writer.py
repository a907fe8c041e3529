"""Writes to one socket without making anybody wait."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from realtime import limits

Done = Coroutine[Any, Any, None]


class FrameWriter:
    """Writes frames in order without making anybody wait; a reader too slow for MAX_PENDING bytes is given up."""

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
            self.stop()
            self._task = asyncio.create_task(self._give_up())
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())

    async def flushed(self) -> None:
        """Return once everything queued was written."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def stop(self) -> None:
        """Forget what was not written."""
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
