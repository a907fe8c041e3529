"""Pusher clients on bare connections, which cost next to nothing: their frames are made before it begins."""

import asyncio
import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, cast

from benchmarks.desk import Visitor
from tests.support.raw_websocket import CLOSE, HANDSHAKE, TEXT, frame

END_OF_HEAD = b"\r\n\r\n"
PONG = frame(TEXT, b'{"event":"pusher:pong","data":{}}')
BEGINNING = 64  # bytes of a message, in which the event's name is
PATIENCE = 90  # seconds
RETRY_AFTER = 0.2  # seconds

Hear = Callable[[bytes], None]


class Refused(Exception):
    """The server has refused, or hung up on, somebody."""


class Client(asyncio.Protocol):
    """One of them: subscribes as soon as it is greeted."""

    __slots__ = (
        "_answer",
        "_handshake",
        "_hear",
        "_is_greeted",
        "_left",
        "_rest",
        "_subscriptions",
        "ended",
        "ready",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, port: int, visitor: Visitor, hear: Hear | None = None) -> None:
        headers = f"Cookie: {visitor.cookie}\r\nOrigin: http://127.0.0.1:{port}\r\n\r\n"
        self._handshake = (HANDSHAKE.format(port=port) + headers).encode()
        said = ({"event": "pusher:subscribe", "data": {"channel": each, "auth": ""}} for each in visitor.channels)
        self._subscriptions = b"".join(frame(TEXT, json.dumps(each).encode()) for each in said)
        self._left, self._hear = len(visitor.channels), hear
        self._rest, self._is_greeted = b"", False
        loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[str | None] = loop.create_future()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        data, start = self._rest + data, 0
        if not self._is_greeted:
            end = data.find(END_OF_HEAD)
            if end < 0:
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101 "), data
            self._is_greeted, start = True, end + len(END_OF_HEAD)
        self._rest = self._read(data, start)

    def _read(self, data: bytes, start: int) -> bytes:
        """Read the frames from `start` on, and return what is not whole."""
        while len(data) >= start + 2:
            size, at = data[start + 1], start + 2
            assert size < 127, "The server masks, or sends much at once."
            if size == 126:
                (size,) = struct.unpack_from("!H", data.ljust(at + 2), at)
                at += 2
            if len(data) < at + size:
                break
            self._take(data[start], data[at : at + size])
            start = at + size
        return data[start:]

    def _take(self, head: int, payload: bytes) -> None:
        beginning = payload[:BEGINNING]
        if head == 0x80 | CLOSE:
            self.transport.close()
        if head != 0x80 | TEXT:
            return
        if b"subscription_succeeded" in beginning:
            self._left -= 1
            if not self._left:
                settle(self.ready, None)
        elif b"pusher:connection_established" in beginning:
            self.transport.write(self._subscriptions)
        elif b"pusher:ping" in beginning:
            self.transport.write(PONG)
        elif b"realtime:missed" in beginning:
            settle(self._answer, json.loads(json.loads(payload)["data"])["cursor"])
        elif b"error" in beginning:
            self._end(Refused(payload.decode()))
        elif self._hear is not None:
            self._hear(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it is over."""
        self._end(Refused("The server hung up."))

    def _end(self, why: Refused) -> None:
        if not self.ready.done():
            self.ready.set_exception(why)
        settle(self._answer, None)
        settle(self.ended, None)

    async def ask(self, since: str, channels: tuple[str, ...]) -> str | None:
        """Ask, once, whether anything was missed since a cursor; return where to go on if nothing, else None."""
        question = {"event": "realtime:missed", "data": {"id": "1", "since": since, "channels": channels}}
        self.transport.write(frame(TEXT, json.dumps(question).encode()))
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        self.transport.abort()


def settle(future: asyncio.Future[Any], result: Any) -> None:
    """Give a result to a future that has none, and that nobody has given up."""
    if not future.done():
        future.set_result(result)


async def join(port: int, visitor: Visitor, hear: Hear | None = None) -> Client:
    """Connect, and return once everything is subscribed to; raise Refused or OSError."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(port, visitor, hear), "127.0.0.1", port)
    await client.ready
    return client


async def join_again(port: int, visitor: Visitor, refusals: Counter[str]) -> Client:
    """Try until it works, as pages do, but without their growing pauses; count why it did not."""
    while True:
        try:
            return await join(port, visitor)
        except (OSError, Refused) as refusal:
            refusals[str(refusal)] += 1
        await asyncio.sleep(RETRY_AFTER)


async def join_all(
    port: int, visitors: Iterable[Visitor], at_once: int, within: float = PATIENCE
) -> dict[Visitor, Client]:
    """Have so many at a time connect and subscribe; whose turn has not come within so many seconds is left out."""
    turns, end, joined = asyncio.Semaphore(at_once), time.monotonic() + within, {}

    async def take_turn(visitor: Visitor) -> None:
        async with turns:
            if time.monotonic() < end:
                joined[visitor] = await join(port, visitor)

    await asyncio.gather(*map(take_turn, visitors))
    return joined
