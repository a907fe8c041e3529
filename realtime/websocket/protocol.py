"""The server's end of a WebSocket (RFC 6455): frames in and out, no task or queue while nothing is said."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools

from realtime import limits
from realtime.utils.rate_limits import TokenBucket
from realtime.websocket import opening_handshake
from realtime.websocket.asgi_bridge import Application
from realtime.websocket.frames import (
    ABNORMAL,
    RESTART,
    Opcode,
    ProtocolError,
    Reader,
    close_code,
    close_frame,
    frame,
    text,
)
from realtime.websocket.opening_handshake import Request, refuse
from realtime.websocket.transport import EXTENSION, TransportHandler


class WebSocket(asyncio.Protocol):
    """One socket; whoever serves it finds it as a `Wire` in `scope["extensions"]`.

    What a peer that does not read, floods or sends nonsense can cost is bounded.
    """

    __slots__ = ("_config", "_end", "_is_deaf", "_is_over", "_listener", "_reader", "_request", "_server", "_unheard",
                 "is_open", "transport")  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, config: Any, server_state: Any, app_state: Any = None, _loop: Any = None) -> None:
        self._config, self._server = config, server_state
        self.is_open = False  # whether anything can be sent
        self._is_over = self._is_deaf = False
        self._unheard = 0  # bytes
        self._end: asyncio.TimerHandle | None = None
        self._listener: TransportHandler | None = None
        self._request: Request | None = None  # that waits for its answer
        self._reader = Reader(config.ws_max_size, TokenBucket(limits.FRAME_RATE, limits.FRAME_BURST))

    # -- What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the handshake."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take in what came; the head of the handshake first."""
        if self._listener is None:
            self._read_head(data)
        elif self._is_deaf:
            self._overhear(data)
        elif self._request is not None:
            self.reject("400 Bad Request")  # a client waits for the answer (section 4.1)
        else:
            self._read_frames(data)

    def _read_frames(self, data: bytes) -> None:
        try:
            for opcode, payload in self._reader.feed(data):
                self._hear(opcode, payload)
        except ProtocolError as broken:
            self._break_off(broken)

    def _overhear(self, data: bytes) -> None:
        """Read a while longer, and forget it: who goes on has had the time to read why it is over."""
        self._unheard += len(data)
        if self._unheard > limits.MAX_DISCARDED_BYTES:
            self.transport.abort()

    def _break_off(self, broken: ProtocolError) -> None:
        """Say why, and hear no more: a connection that is closed while bytes come is reset, and nobody reads why."""
        self._is_deaf = True
        self.close(broken.code, broken.reason)
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def eof_received(self) -> None:
        """End: whoever says nothing any more has hung up."""
        self._finish(ABNORMAL)
        self._end_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        self._server.connections.discard(self)
        if self._end is not None:
            self._end.cancel()
        self._finish(ABNORMAL)

    def pause_writing(self) -> None:
        """Say that the peer reads too slowly."""
        if self._listener is not None:
            self._listener.fall_behind()

    def resume_writing(self) -> None:
        """Say that it has read."""
        if self._listener is not None:
            self._listener.catch_up()

    def shutdown(self) -> None:
        """End with the server."""
        self.close(RESTART)

    # -- The handshake

    def open(self, request: Request) -> None:
        """Have the application say whether the handshake that was asked for is welcome."""
        status = opening_handshake.problem(request)
        if status is not None:
            refuse(self.transport, status)
            return
        self._request = request
        application = Application(self, opening_handshake.scope(request, self.transport, {EXTENSION: self}))
        self._listener = application
        task = asyncio.get_running_loop().create_task(application.run(self._config.loaded_app))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    def _read_head(self, data: bytes) -> None:
        request = Request()
        try:
            request.feed(data)
        except httptools.HttpParserError:
            refuse(self.transport, "400 Bad Request")
        else:
            self.open(request)

    def accept(self, headers: opening_handshake.Headers, subprotocol: str | None) -> None:
        """Answer the handshake."""
        if self._request is not None:
            self.transport.write(opening_handshake.answer(self._request, headers, subprotocol))
            self.is_open, self._request = True, None

    def reject(self, status: str) -> None:
        """Answer the handshake with an HTTP status."""
        if self._request is not None:
            self._finish(ABNORMAL)
            refuse(self.transport, status)

    # -- Messages

    def _hear(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self.close(close_code(payload))
            self.transport.close()
        elif not self.is_open or self._listener is None:
            return
        elif opcode is Opcode.TEXT:
            self._listener.hear_text(text(payload))
        elif opcode is Opcode.BINARY:
            self._listener.hear_bytes(payload)
        elif opcode is Opcode.PING:
            self.write(frame(Opcode.PONG, payload))

    def _finish(self, code: int) -> None:
        if not self._is_over:
            self.is_open, self._is_over, self._request = False, True, None
            if self._listener is not None:
                self._listener.end(code)

    def _end_soon(self) -> None:
        """Give the peer the time to read what is left: what it has not read by then, it never will."""
        if self._end is None:
            self._end = asyncio.get_running_loop().call_later(limits.CLOSE_TIMEOUT, self.transport.abort)

    # -- What those who serve it do

    @property
    def send_now(self) -> Callable[[bytes], None]:
        """The transport's own way."""
        return self.transport.write

    def is_served_by(self, listener: TransportHandler) -> bool:
        """Say whether `listener` has it, and has not handed it on."""
        return self._listener is listener

    def write(self, frames: bytes) -> None:
        """Send whole frames now; what the peer does not read waits in memory."""
        if self.is_open:
            self.transport.write(frames)

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame behind what was written, and wait a while for the peer's."""
        if self.is_open:
            self.transport.write(close_frame(code, reason))
            self.resume_reading()
            self._end_soon()
            self._finish(code)

    def hand_to(self, listener: TransportHandler, *, most_unread: int) -> None:
        """Tell `listener` from now on."""
        self.transport.set_write_buffer_limits(high=most_unread)
        self._listener = listener
        if not self.is_open:
            listener.end(ABNORMAL)

    def pause_reading(self) -> None:
        """Take nothing more from the peer."""
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take what comes again."""
        if not self.transport.is_closing():
            self.transport.resume_reading()
