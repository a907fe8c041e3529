"""An ASGI application that serves a socket ("WebSocket", ASGI specification), until it hands the socket on."""

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any

from realtime.websocket.frames import INTERNAL_ERROR, NORMAL, Frames, Opcode, frame

if TYPE_CHECKING:
    from realtime.websocket.protocol import WebSocket

logger = logging.getLogger(__name__)


class Disconnected(OSError):
    """The peer is gone, and nothing can be sent."""


class Application:
    """Hands messages to and fro between a socket and the application."""

    def __init__(self, socket: "WebSocket", scope: dict[str, Any]) -> None:
        self._socket, self._scope = socket, scope
        self._messages: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self._arrived, self._is_writable = asyncio.Event(), asyncio.Event()
        self._arrived.set()
        self._is_writable.set()
        self._is_accepted = False

    async def run(self, app: Any) -> None:
        """Serve until the application ends; whom it left with the socket open is told so."""
        try:
            await app(self._scope, self.receive, self.send)
        except Disconnected:
            pass
        except Exception:
            logger.exception("The application failed.")
            self._socket.reject("500 Internal Server Error")
            self._leave(INTERNAL_ERROR)
        else:
            self._socket.reject("500 Internal Server Error")
            self._leave(NORMAL)

    def _leave(self, code: int) -> None:
        if self._socket.is_served_by(self):
            self._socket.close(code)

    # -- What the socket tells

    def hear_text(self, text: str) -> None:
        """Pass on a text message."""
        self._put({"type": "websocket.receive", "text": text})

    def hear_bytes(self, data: bytes) -> None:
        """Pass on a binary message."""
        self._put({"type": "websocket.receive", "bytes": data})

    def end(self, code: int) -> None:
        """Pass on that it is over."""
        self._is_writable.set()
        self._messages.append({"type": "websocket.disconnect", "code": code})
        self._arrived.set()

    def fall_behind(self) -> None:
        """Have `send` wait."""
        self._is_writable.clear()

    def catch_up(self) -> None:
        """Have `send` go on."""
        self._is_writable.set()

    def _put(self, message: dict[str, Any]) -> None:
        self._messages.append(message)
        self._arrived.set()
        self._socket.pause_reading()

    # -- What the application calls

    async def receive(self) -> dict[str, Any]:
        """Return the next message; nothing more is read from the peer while some wait."""
        await self._arrived.wait()
        message = self._messages.popleft()
        if not self._messages:
            self._arrived.clear()
            self._socket.resume_reading()
        return message

    async def send(self, message: dict[str, Any]) -> None:
        """Do as the application says; raise Disconnected where nobody is there any more."""
        if message["type"] == "websocket.close":  # it does not wait behind what a slow peer has not read
            self._close(message)
            return
        await self._is_writable.wait()
        if message["type"] == "websocket.accept" and not self._is_accepted:
            self._is_accepted = True
            self._socket.accept(message.get("headers", []), message.get("subprotocol"))
        elif message["type"] == "websocket.send" and self._is_accepted:
            self._write(message)
        else:
            raise RuntimeError(f"{message['type']} may not be sent now.")

    def _write(self, message: dict[str, Any]) -> None:
        if not self._socket.is_open:
            raise Disconnected
        data = message.get("bytes")
        self._socket.write(Frames(message["text"]).ready if data is None else frame(Opcode.BINARY, data))

    def _close(self, message: dict[str, Any]) -> None:
        if self._is_accepted:
            self._socket.close(message.get("code", NORMAL), message.get("reason") or "")
        else:
            self._socket.reject("403 Forbidden")
