"""Pusher clients on plain TCP connections, at minimal cost: their frames are prepared before the measurement."""

import asyncio
import json
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, cast

from benchmarks.site import Visitor
from tests.support.clients.raw_client import CLOSE, HANDSHAKE, TEXT, frame

END_OF_HEAD = b"\r\n\r\n"
PONG = frame(TEXT, b'{"event":"pusher:pong","data":{}}')
PREFIX = 64  # bytes of a message that contain the event's name
TIMEOUT = 90  # seconds
RETRY_INTERVAL = 0.2  # seconds

OnEvent = Callable[[bytes], None]


class Refused(Exception):
    """The server refused or closed a connection."""


class Client(asyncio.Protocol):
    """A client that subscribes as soon as its connection is established."""

    __slots__ = (
        "_handshake",
        "_is_open",
        "_on_event",
        "_pending",
        "_response",
        "_rest",
        "_subscriptions",
        "ended",
        "ready",
        "transport",
    )

    transport: asyncio.Transport

    def __init__(self, port: int, visitor: Visitor, on_event: OnEvent | None = None) -> None:
        headers = f"Cookie: {visitor.cookie}\r\nOrigin: http://127.0.0.1:{port}\r\n\r\n"
        self._handshake = (HANDSHAKE.format(port=port) + headers).encode()
        subscriptions = (
            {"event": "pusher:subscribe", "data": {"channel": each, "auth": ""}} for each in visitor.channels
        )
        self._subscriptions = b"".join(frame(TEXT, json.dumps(each).encode()) for each in subscriptions)
        self._pending, self._on_event = len(visitor.channels), on_event
        self._rest, self._is_open = b"", False
        loop = asyncio.get_running_loop()
        self._response: asyncio.Future[str | None] = loop.create_future()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._handshake)

    def data_received(self, data: bytes) -> None:
        """Parse the handshake response and frames."""
        data, start = self._rest + data, 0
        if not self._is_open:
            end = data.find(END_OF_HEAD)
            if end < 0:
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101 "), data
            self._is_open, start = True, end + len(END_OF_HEAD)
        self._rest = self._read(data, start)

    def _read(self, data: bytes, start: int) -> bytes:
        """Handle the frames from `start` on, and return the incomplete rest."""
        while len(data) >= start + 2:
            size, at = data[start + 1], start + 2
            assert size < 127, "Unsupported server frame: masked, or over 64 KB."
            if size == 126:
                (size,) = struct.unpack_from("!H", data.ljust(at + 2), at)
                at += 2
            if len(data) < at + size:
                break
            self._handle(data[start], data[at : at + size])
            start = at + size
        return data[start:]

    def _handle(self, head: int, payload: bytes) -> None:
        beginning = payload[:PREFIX]
        if head == 0x80 | CLOSE:
            self.transport.close()
        if head != 0x80 | TEXT:
            return
        if b"subscription_succeeded" in beginning:
            self._pending -= 1
            if not self._pending:
                resolve(self.ready, None)
        elif b"pusher:connection_established" in beginning:
            self.transport.write(self._subscriptions)
        elif b"pusher:ping" in beginning:
            self.transport.write(PONG)
        elif b"realtime:missed" in beginning:
            resolve(self._response, json.loads(json.loads(payload)["data"])["cursor"])
        elif b"error" in beginning:
            self._end(Refused(payload.decode()))
        elif self._on_event is not None:
            self._on_event(payload)

    def connection_lost(self, exc: Exception | None) -> None:
        """Resolve what waits for the server."""
        self._end(Refused("The server closed the connection."))

    def _end(self, why: Refused) -> None:
        if not self.ready.done():
            self.ready.set_exception(why)
        resolve(self._response, None)
        resolve(self.ended, None)

    async def ask(self, since: str, channels: tuple[str, ...]) -> str | None:
        """Ask what was missed since a cursor; return the new cursor if nothing was, else None. Call it once."""
        question = {"event": "realtime:missed", "data": {"id": "1", "since": since, "channels": channels}}
        self.transport.write(frame(TEXT, json.dumps(question).encode()))
        return await self._response

    def close(self) -> None:
        """Disconnect."""
        self.transport.abort()


def resolve(future: asyncio.Future[Any], result: Any) -> None:
    """Set the result of a future that is not done."""
    if not future.done():
        future.set_result(result)


async def join(port: int, visitor: Visitor, on_event: OnEvent | None = None) -> Client:
    """Connect, and return once all channels are subscribed. Raises Refused, OSError."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(port, visitor, on_event), "127.0.0.1", port)
    await client.ready
    return client


async def join_again(port: int, visitor: Visitor, refusals: Counter[str]) -> Client:
    """Retry until connected, like pages but at a fixed interval; count the reasons of failures."""
    while True:
        try:
            return await join(port, visitor)
        except (OSError, Refused) as refusal:
            refusals[str(refusal)] += 1
        await asyncio.sleep(RETRY_INTERVAL)


async def join_all(
    port: int, visitors: Iterable[Visitor], at_once: int, within: float = TIMEOUT
) -> dict[Visitor, Client]:
    """Connect and subscribe `at_once` visitors at a time; skip those that did not start within `within` seconds."""
    turns, end, joined = asyncio.Semaphore(at_once), time.monotonic() + within, {}

    async def take_turn(visitor: Visitor) -> None:
        async with turns:
            if time.monotonic() < end:
                joined[visitor] = await join(port, visitor)

    await asyncio.gather(*map(take_turn, visitors))
    return joined
