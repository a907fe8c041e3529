"""The server's end of a WebSocket (RFC 6455) as an asyncio protocol: no task and no queue while nothing is sent."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from realtime import limits
from realtime.utils.rate_limits import TokenBucket
from realtime.websocket import opening_handshake
from realtime.websocket.frames import (
    ABNORMAL,
    RESTART,
    Frames,
    Opcode,
    ProtocolError,
    Reader,
    close_code,
    close_frame,
    frame,
    text,
)
from realtime.websocket.opening_handshake import Request, refuse
from realtime.websocket.transport import TransportHandler


class WebSocketProtocol(asyncio.Protocol):
    """One socket: a `Transport` for its handler, and a WebSocket protocol class for uvicorn.

    Bounded: the size of messages, the rate of frames, the write buffer, and what is read after a protocol error.
    """

    __slots__ = (
        "_app_state",
        "_config",
        "_discarded",
        "_handler",
        "_has_ended",
        "_has_failed",
        "_is_open",
        "_reader",
        "_server",
        "_timeout",
        "tcp",
    )  # fmt: skip

    tcp: asyncio.Transport

    def __init__(self, config: Any, server_state: Any, app_state: Any = None, _loop: Any = None) -> None:
        self._config, self._server, self._app_state = config, server_state, app_state
        self._is_open = self._has_ended = self._has_failed = False
        self._discarded = 0  # bytes read after a protocol error
        self._timeout: asyncio.TimerHandle | None = None
        self._handler: TransportHandler | None = None
        self._reader = Reader(config.ws_max_size, TokenBucket(limits.FRAME_RATE, limits.FRAME_BURST))

    @abstractmethod
    def connect(self, scope: dict[str, Any]) -> TransportHandler | None:
        """Return the handler of an accepted handshake, None if the ASGI application serves its path."""

    # -- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        self.tcp = cast(asyncio.Transport, transport)  # uvloop's class does not inherit from it
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Read the request of the handshake first, then frames."""
        if self._handler is None:
            self._read_request(data)
        elif self._has_failed:
            self._discard(data)
        else:
            self._read_frames(data)

    def eof_received(self) -> None:
        """End: a client that cannot send anything more has disconnected."""
        self._end(ABNORMAL)
        self._abort_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything."""
        self._server.connections.discard(self)
        if self._timeout is not None:
            self._timeout.cancel()
        self._end(ABNORMAL)

    def pause_writing(self) -> None:
        """Notify the handler that the write buffer is full."""
        if self._handler is not None:
            self._handler.on_write_buffer_full()

    def resume_writing(self) -> None:
        """Do nothing: a socket whose write buffer was full is closed."""

    def shutdown(self) -> None:
        """Close with 1012: uvicorn stops."""
        self.close(RESTART)

    # -- The opening handshake

    def _read_request(self, data: bytes) -> None:
        """Answer the request; uvicorn's HTTP protocol passes it in one piece."""
        try:
            request = Request(data)
        except httptools.HttpParserError:
            refuse(self.tcp, "400 Bad Request")
            return
        scope = opening_handshake.scope(request, self.tcp)
        if (status := opening_handshake.find_problem(request)) is not None:
            refuse(self.tcp, status)
        elif (handler := self.connect(scope)) is None:
            self._delegate(data)
        else:
            self._handler = handler
            self._is_open = True
            self.tcp.set_write_buffer_limits(high=limits.MAX_WRITE_BUFFER)
            self.tcp.write(opening_handshake.response(request))

    def _delegate(self, data: bytes) -> None:
        """Leave the socket to uvicorn's own protocol class, which runs the ASGI application."""
        self._server.connections.discard(self)
        stock = WebSocketsSansIOProtocol(self._config, self._server, self._app_state)
        stock.connection_made(self.tcp)
        stock.data_received(data)
        # uvicorn's HTTP protocol sets this object as the transport's protocol once it returns from here.
        asyncio.get_running_loop().call_soon(self.tcp.set_protocol, stock)

    # -- Frames

    def _read_frames(self, data: bytes) -> None:
        if self._handler is not None:
            self._handler.on_data()
        try:
            for opcode, payload in self._reader.feed(data):
                self._receive(opcode, payload)
        except ProtocolError as error:
            self._fail(error)

    def _receive(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self.close(close_code(payload))
            self.tcp.close()
        elif not self._is_open or self._handler is None:
            return
        elif opcode is Opcode.TEXT:
            self._handler.on_text(text(payload))
        elif opcode is Opcode.BINARY:
            self._handler.on_bytes(payload)
        elif opcode is Opcode.PING:
            self.tcp.write(frame(Opcode.PONG, payload))

    def _fail(self, error: ProtocolError) -> None:
        """Close, but go on reading: the kernel resets a connection closed with unread bytes, and loses the reason."""
        self._has_failed = True
        self.close(error.code, error.reason)
        if self.tcp.can_write_eof() and not self.tcp.is_closing():
            self.tcp.write_eof()

    def _discard(self, data: bytes) -> None:
        self._discarded += len(data)
        if self._discarded > limits.MAX_DISCARDED_BYTES:
            self.tcp.abort()

    def _end(self, code: int) -> None:
        if not self._has_ended:
            self._is_open, self._has_ended = False, True
            if self._handler is not None:
                self._handler.on_close(code)

    def _abort_soon(self) -> None:
        """Abort after CLOSE_TIMEOUT: what the client has not read by then, it never will."""
        if self._timeout is None:
            self._timeout = asyncio.get_running_loop().call_later(limits.CLOSE_TIMEOUT, self.tcp.abort)

    # -- Transport

    @property
    def send_now(self) -> Callable[[bytes], None]:
        """The TCP transport's own write."""
        return self.tcp.write

    def write(self, frames: Frames) -> bool:
        """Send frames; what the client does not read waits in the write buffer."""
        if self._is_open:
            self.tcp.write(frames.ready)
        return True

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame after what was written, and wait up to CLOSE_TIMEOUT for the client's."""
        if self._is_open:
            self.tcp.write(close_frame(code, reason))
            self.resume_reading()
            self._abort_soon()
            self._end(code)

    def pause_reading(self) -> None:
        """Read nothing more from the client."""
        self.tcp.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        if not self.tcp.is_closing():
            self.tcp.resume_reading()
