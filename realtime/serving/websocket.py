"""The server's end of a WebSocket: uvicorn's, with bounds, and a way to write without waiting."""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from realtime.limits import CLOSE_TIMEOUT
from realtime.writer import EXTENSION


class Connection(ServerProtocol):
    """The library's; but a close amid fragments is a close (RFC 6455, sections 5.4 and 5.5.1), not an error."""

    def recv_frame(self, frame: Frame) -> None:
        """Forget the fragments that a close cuts short."""
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

    async def run_asgi(self) -> None:
        """Serve the socket; what the peer has not read within CLOSE_TIMEOUT of its end, it never will."""
        self.scope["extensions"][EXTENSION] = self  # type: ignore[assignment]
        await super().run_asgi()
        if not self.disconnected:
            self._end = self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer too."""
        super().connection_lost(exc)
        if self._end is not None:
            self._end.cancel()

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
