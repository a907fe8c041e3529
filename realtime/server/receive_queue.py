"""What a client says on a wire, handled in its order; a task lives while there is something to do."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

from realtime.server.connection import Connection
from realtime.websocket.transport import Transport

MOST_WAITING = 16  # messages of one client that wait; while there are as many, no more are read


class ReceiveQueue:
    """Stands between the wire of a socket and the connection that it is."""

    __slots__ = ("_connection", "_is_over", "_task", "_waiting", "_wire")

    def __init__(self, connection: Connection, wire: Transport) -> None:
        self._connection, self._wire = connection, wire
        self._waiting: list[str | None] = []
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    async def begin(self, scope: Mapping[str, Any]) -> None:
        """Greet the client, and handle what it has said meanwhile."""
        self._task = asyncio.current_task()
        await self._work(self._connection.greet(scope))

    def hear_text(self, text: str) -> None:
        """Handle a message, now if nothing of it has to wait."""
        self._hear(text)

    def hear_bytes(self, data: bytes) -> None:
        """Handle a binary message, of which the protocol has none."""
        self._hear(None)

    def fall_behind(self) -> None:
        """Give the client up."""
        self._connection.give_up()

    def catch_up(self) -> None:
        """Go on: nobody has waited."""

    def end(self, code: int) -> None:
        """Let go of the connection, once what is being handled is."""
        self._is_over = True
        self._connection.fall_silent()
        if self._task is None:
            self._connection.leave()

    def _hear(self, text: str | None) -> None:
        if self._task is not None:
            self._connection.is_heard()
            self._waiting.append(text)
            if len(self._waiting) >= MOST_WAITING:
                self._wire.pause_reading()
            return
        rest = self._connection.handle(text, self._waiting)
        if rest is not None:
            self._task = asyncio.create_task(self._work(rest))

    async def _work(self, rest: Coroutine[Any, Any, None] | None) -> None:
        try:
            while True:
                if rest is not None:
                    await rest
                if not self._waiting:
                    break
                rest = self._connection.handle(self._waiting.pop(0), self._waiting)
            self._wire.resume_reading()
        finally:
            self._task = None
            if self._is_over:
                self._connection.leave()
