"""A connection that goes to the pages: its request waits here until it is whole, its answer until it has been read.

The pages have few threads, and whoever sends or reads slowly holds none of them.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

import httptools

from realtime.conf import config
from realtime.server import hub
from realtime.serving.spool import Pump, Spool
from realtime.websocket.opening_handshake import Request, refuse

STALL = 30  # seconds, twice as many at most, in which a client has to send or take something
MAX_WAITING = 1024**3  # bytes that wait in this process altogether before whoever sends a request is refused
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class PagesSide(asyncio.Protocol):
    """The connection to the pages: says who the client is, and takes the answer as fast as it comes."""

    def __init__(self, introduction: bytes, request: Pump, answer: Pump, is_over: Callable[[], None]) -> None:
        self._introduction, self._request, self._answer = introduction, request, answer
        self._is_over = is_over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        pages = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        pages.write(self._introduction)
        self._request.begin(pages)

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        self._answer.put(data)

    def pause_writing(self) -> None:
        """Have the request wait."""
        self._request.pause()

    def resume_writing(self) -> None:
        """Go on with the request."""
        self._request.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """That was the answer."""
        self._answer.finish()
        self._is_over()


class Relay(asyncio.Protocol):
    """The client's side: takes a request in, asks the pages, and gives the answer out."""

    def __init__(self, client: asyncio.Transport, config: Any, state: Any, request: Request) -> None:
        self._client, self._config, self._state, self._request = client, config, state, request
        self._is_history = request.path == config.history_path
        self._state.connections.add(self)
        self._loop = asyncio.get_running_loop()
        self._stall = self._loop.call_later(STALL, self._look, None)
        self._received = 0
        self._to_pages, self._to_client = Pump(), Pump()
        self._to_client.begin(client)

    def data_received(self, data: bytes) -> None:
        """Take in more of the request."""
        try:
            self._request.feed(data)
        except httptools.HttpParserError:
            refuse(self._client, "400 Bad Request")
        else:
            self.take_in(data)

    def take_in(self, data: bytes) -> None:
        """Keep a part of the request that has been looked at; when it is whole, ask the pages."""
        self._received += len(data)
        self._to_pages.put(data)
        if self._received > config().max_upload:
            refuse(self._client, "413 Content Too Large")
        elif Spool.in_all > MAX_WAITING:
            refuse(self._client, "503 Service Unavailable")
        elif self._request.is_whole:
            self._ask()
        elif self._request.waits_for_word():
            self._client.write(CONTINUE)

    def pause_writing(self) -> None:
        """Have the answer wait."""
        self._to_client.pause()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._to_client.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the pages' side too: the client is gone."""
        self._stall.cancel()
        self._state.connections.discard(self)
        for pump in (self._to_pages, self._to_client):
            pump.close()

    def shutdown(self) -> None:
        """Go on to the end of the answer."""

    def _ask(self) -> None:
        self._client.pause_reading()
        opening = self._loop.create_task(self._open())
        self._state.tasks.add(opening)
        opening.add_done_callback(self._state.tasks.discard)

    async def _open(self) -> None:
        """Connect to the pages' Unix socket, when it is our turn."""
        if self._is_history and (pause := await self._enter()) is not None:
            refuse(self._client, "503 Service Unavailable", retry_after=pause)
            return
        try:
            pages, _ = await self._loop.create_unix_connection(self._other_side, self._config.pages)
        except OSError:
            self._leave()
            refuse(self._client, "503 Service Unavailable")
            return
        if self._client.is_closing():
            pages.close()

    def _other_side(self) -> PagesSide:
        return PagesSide(_introduction(self._client), self._to_pages, self._to_client, self._leave)

    async def _enter(self) -> int | None:
        pause: int | None = await self._config.histories.enter(is_crowded=hub.here().lookups.is_crowded)
        return pause

    def _leave(self) -> None:
        if self._is_history:
            self._config.histories.leave()

    def _look(self, before: int | None) -> None:
        """Give the client up if nothing has moved since the last look, though it was to send or take something."""
        unread = self._client.get_write_buffer_size()
        moved = self._received + self._to_client.passed - unread
        if moved == before:
            self._give_up()
            return
        is_awaited = unread or not self._request.is_whole
        self._stall = self._loop.call_later(STALL, self._look, moved if is_awaited else None)

    def _give_up(self) -> None:
        if self._request.is_whole:
            self._client.abort()
        else:
            refuse(self._client, "408 Request Timeout")


def _introduction(client: asyncio.Transport) -> bytes:
    """Return who the client is (PROXY protocol, version 1)."""
    family = "TCP6" if client.get_extra_info("socket").family == socket.AF_INET6 else "TCP4"
    (host, port, *_), (here, our_port, *_) = client.get_extra_info("peername"), client.get_extra_info("sockname")
    return f"PROXY {family} {host} {here} {port} {our_port}\r\n".encode()
