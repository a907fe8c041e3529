"""The addresses of sockets, as Channels' consumers: who connects is accepted, and told what is wrong."""

from collections.abc import Mapping
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from realtime import limits, protocol
from realtime.server.connection import Connection
from realtime.server.receive_queue import ReceiveQueue
from realtime.websocket.transport import EXTENSION, Transport
from realtime.websocket.writers import ASGITransport, DirectTransport


class PusherConsumer(AsyncWebsocketConsumer):
    """Serves /app/{key}: where the server offers its wire, until the socket is open; else for the socket's life."""

    # The hub has the process's one channel of the layer; a socket has none.
    channel_layer_alias = None  # type: ignore[assignment]
    connection: Connection | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle one ASGI event, without the thread hop that stock consumers make for each."""
        await getattr(self, get_handler_name(message))(message)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve the socket; however it ends, nothing of it stays behind."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self.connection is not None:
                self.connection.leave()

    async def connect(self) -> None:
        """Accept, then say what is wrong."""
        await self.accept()
        extensions: Mapping[str, Any] = self.scope.get("extensions") or {}
        if EXTENSION in extensions:
            await self._hand_over(extensions[EXTENSION])
            raise StopConsumer
        self.connection = Connection(ASGITransport(self._send_text, self._hang_up))
        await self.connection.greet(self.scope)

    async def _hand_over(self, wire: Transport) -> None:
        """Leave the socket to the wire: no task, queue or consumer waits for what it says."""
        inbox = ReceiveQueue(Connection(DirectTransport(wire)), wire)
        wire.hand_to(inbox, most_unread=limits.MAX_WRITE_BUFFER)
        await inbox.begin(self.scope)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one message of the client."""
        rest = self.connection.handle(text_data) if self.connection is not None else None
        if rest is not None:
            await rest

    async def _send_text(self, text: str) -> None:
        await self.send(text_data=text)

    async def _hang_up(self, code: int) -> None:
        try:
            await self.close(code)
        except (OSError, RuntimeError):
            pass  # the other side was quicker
        except Exception:
            await self.close()  # Daphne sends no code between 1000 and 3000


class WrongPathConsumer(AsyncWebsocketConsumer):
    """Any other WebSocket address: told so with 4005, which clients do not retry."""

    channel_layer_alias = None  # type: ignore[assignment]

    async def connect(self) -> None:
        """Accept, explain, close."""
        await self.accept()
        await self.send(text_data=protocol.error(protocol.PATH_NOT_FOUND, "The socket's address is /app/{key}."))
        await self.close(protocol.PATH_NOT_FOUND)
