"""One port for sockets and pages: a WebSocket's handshake stays here, any other connection goes on to the pages."""

import asyncio
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from realtime.serving.relay import Relay
from realtime.websocket.opening_handshake import Request, refuse
from realtime.websocket.protocol import WebSocket

MAX_HEAD = 16 * 1024  # bytes of a first request's line and headers
HEAD_WITHIN = 10  # seconds that a client has to send them
END_OF_HEAD = b"\r\n\r\n"


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
        request = Request()
        try:
            request.feed(self._head)
        except httptools.HttpParserError:
            refuse(self.transport, "400 Bad Request")
            return
        if request.is_handshake:
            self._open_socket(request)
        elif self._pages:
            relay = Relay(self.transport, self._arguments["config"], self._state, request)
            self.transport.set_protocol(relay)
            relay.take_in(self._head)
        else:
            here = HttpToolsProtocol(**self._arguments)
            here.connection_made(self.transport)
            self.transport.set_protocol(here)
            here.data_received(self._head)

    def _open_socket(self, request: Request) -> None:
        socket = WebSocket(**self._arguments)
        socket.connection_made(self.transport)
        self.transport.set_protocol(socket)
        socket.open(request)

    def _refuse(self, status: str) -> None:
        self._leave()
        refuse(self.transport, status)

    def _leave(self) -> None:
        self._timer.cancel()
        self._state.connections.discard(self)
