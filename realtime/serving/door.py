"""One port for sockets and pages: a WebSocket's handshake stays here, any other connection goes on to the pages."""

import asyncio
import re
import socket
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 16 * 1024  # bytes of a first request's line and headers
HEAD_WITHIN = 10  # seconds that a client has to send them
MAX_UNREAD = 1024 * 1024  # bytes of an answer that wait here for a slow client, so that the pages need not
END_OF_HEAD = b"\r\n\r\n"
UPGRADE = re.compile(rb"\r\nupgrade:[ \t]*websocket[ \t]*\r\n", re.IGNORECASE)


class Door(asyncio.Protocol):
    """Reads the head of a connection's first request, and hands the connection to whom it concerns.

    A connection that goes to the pages serves one request: the next one of the same client may be a handshake.
    """

    transport: asyncio.Transport

    def __init__(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> None:
        self._arguments = {"config": config, "server_state": server_state, "app_state": app_state}
        self._pages: str = config.pages
        self._state = server_state
        self._loop = asyncio.get_running_loop()
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the head."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._state.connections.add(self)
        self._timer = self._loop.call_later(HEAD_WITHIN, self._refuse, "408 Request Timeout")

    def data_received(self, data: bytes) -> None:
        """Hand the connection on once the head is there."""
        self._head += data
        if END_OF_HEAD in self._head:
            self._leave()
            self._hand_over()
        elif len(self._head) > MAX_HEAD:
            self._refuse("431 Request Header Fields Too Large")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a client that went without a word."""
        self._leave()

    def shutdown(self) -> None:
        """End with the server: nothing was asked so far."""
        self.transport.close()

    def _hand_over(self) -> None:
        if self._pages and not UPGRADE.search(self._head.partition(END_OF_HEAD)[0] + b"\r\n"):
            self._relay()
            return
        here = HttpToolsProtocol(**self._arguments)
        here.connection_made(self.transport)
        self.transport.set_protocol(here)
        here.data_received(self._head)

    def _relay(self) -> None:
        relay = Relay(self.transport, self._state.connections)
        self.transport.set_protocol(relay)
        opening = self._loop.create_task(relay.open(self._pages, self._head))
        self._state.tasks.add(opening)
        opening.add_done_callback(self._state.tasks.discard)

    def _refuse(self, status: str) -> None:
        self._leave()
        refuse(self.transport, status)

    def _leave(self) -> None:
        self._timer.cancel()
        self._state.connections.discard(self)


class Pipe(asyncio.Protocol):
    """Passes on to another transport what comes, no faster than it goes there."""

    def __init__(self, to: asyncio.Transport) -> None:
        self._to = to

    def data_received(self, data: bytes) -> None:
        """Pass on."""
        self._to.write(data)

    def pause_writing(self) -> None:
        """The transport of this side is full: have the other one read no more."""
        if not self._to.is_closing():
            self._to.pause_reading()

    def resume_writing(self) -> None:
        """Have the other side read again."""
        if not self._to.is_closing():
            self._to.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side, once it has what came."""
        self._to.close()


class Relay(Pipe):
    """The client's side of a connection to the pages."""

    def __init__(self, client: asyncio.Transport, connections: set[Any]) -> None:
        super().__init__(client)
        self._client, self._connections = client, connections
        self._connections.add(self)

    async def open(self, pages: str, head: bytes) -> None:
        """Connect to the pages' Unix socket, and say there who the client is (PROXY protocol, version 1)."""
        self._client.pause_reading()
        self._client.set_write_buffer_limits(high=MAX_UNREAD)
        loop = asyncio.get_running_loop()
        try:
            self._to, _ = await loop.create_unix_connection(lambda: Pipe(self._client), pages)
        except OSError:
            refuse(self._client, "503 Service Unavailable")
            return
        self._to.write(_introduction(self._client) + head)
        if self._client.is_closing():
            self._to.close()
        else:
            self._client.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the pages' side too: the client is gone."""
        self._connections.discard(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Go on to the end of the answer."""


def refuse(client: asyncio.Transport, status: str) -> None:
    """Answer an HTTP status that says all there is to say, and close."""
    body = f"{status}\n"
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    client.write((head + body).encode())
    client.close()


def _introduction(client: asyncio.Transport) -> bytes:
    family = "TCP6" if client.get_extra_info("socket").family == socket.AF_INET6 else "TCP4"
    (host, port, *_), (here, our_port, *_) = client.get_extra_info("peername"), client.get_extra_info("sockname")
    return f"PROXY {family} {host} {here} {port} {our_port}\r\n".encode()
