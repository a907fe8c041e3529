"""The server's end of a WebSocket: uvicorn's, with bounds, and a way to write without waiting."""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from realtime import limits
from realtime.protocol import OVER_CAPACITY
from realtime.writer import EXTENSION


class Connection(ServerProtocol):
    """The library's; but a close amid fragments is a close (RFC 6455, sections 5.4 and 5.5.1), and a flood ends."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._allowance = limits.Allowance(limits.FRAMES_A_SECOND, limits.FRAMES_AT_ONCE)

    def recv_frame(self, frame: Frame) -> None:
        """Take in a frame, of which there may be too many: the smaller they are, the more they cost."""
        if self._allowance.is_spent():
            self.fail(OVER_CAPACITY, "Too many frames.")
            raise ProtocolError("Too many frames.")
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)


class WebSocket(WebSocketsSansIOProtocol):
    """RFC 6455 is the library's; here it is bounded what a peer that does not read or sends nonsense can cost.

    The application finds it as a `Wire` in `scope["extensions"]`.
    """

    _end: asyncio.TimerHandle | None = None

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        super().__init__(config, *args, **kwargs)
        self.conn = Connection(max_size=config.ws_max_size, logger=self.logger)

    def data_received(self, data: bytes) -> None:
        """Take in what came; the first is the whole head, and one that the library refuses is an end."""
        super().data_received(data)
        if not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def eof_received(self) -> None:
        """End: whoever says nothing any more has hung up."""
        self._end_soon()

    async def run_asgi(self) -> None:
        """Serve the socket."""
        self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]
        await super().run_asgi()
        self._end_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer too."""
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()

    def _end_soon(self) -> None:
        """Give the peer the time to read what is left: what it has not read by then, it never will."""
        if self._end is None and not self.disconnected:
            self._end = self.loop.call_later(limits.CLOSE_TIMEOUT, self.transport.abort)

    def send_receive_event_to_app(self) -> None:
        """Hand on a message; one that is not UTF-8 is closed with 1007 (RFC 6455, section 8.1), and no traceback."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self.conn.fail(CloseCode.INVALID_DATA, "Text is UTF-8.")
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """Do as the application says; a close does not wait behind what a slow peer has not read."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    # -- What the application finds in its scope

    def write_text(self, text: str) -> None:
        """Send a text message now; what the peer does not read waits in memory."""
        if self.conn.state is State.OPEN and not self.transport.is_closing():
            self.conn.send_text(text.encode())
            self.transport.writelines(self.conn.data_to_send())

    @property
    def unread(self) -> int:
        """The bytes that wait for the peer."""
        return int(self.transport.get_write_buffer_size())


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
