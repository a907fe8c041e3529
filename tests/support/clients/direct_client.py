"""Sockets as the server that is written for them has them: bytes go out of a transport, and nothing is in between."""

import asyncio
import json
import re
from types import SimpleNamespace
from typing import Any, cast

from asgiref.sync import sync_to_async

from accounts.models import User
from realtime.consumers import PusherConsumer
from realtime.serve.pusher_protocol import PusherProtocol
from realtime.serve.server import MAX_MESSAGE
from realtime.websocket.frames import Opcode
from tests.support.clients.raw_client import frame
from tests.support.sockets import HOST, session_cookie, until
from tikm.asgi import application

HANDSHAKE = (
    f"GET /app/tikm?protocol=7 HTTP/1.1\r\nHost: {HOST}\r\nOrigin: http://{HOST}\r\nCookie: {{cookie}}\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class DirectClient(asyncio.Transport):
    """A client at the other end of a transport; each write of the server is kept."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 50000), "sockname": ("127.0.0.1", 8000)})
        self.writes: list[bytes] = []
        self.is_read = True
        self._is_closing = False
        state = SimpleNamespace(connections=set(), tasks=set())
        self.server = PusherProtocol(SimpleNamespace(ws_max_size=MAX_MESSAGE, loaded_app=application), state)
        self.server.connection_made(self)

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        if not self._is_closing:
            self._is_closing = True
            asyncio.get_running_loop().call_soon(self.server.connection_lost, None)

    abort = close

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.most_unread = high

    @property
    def consumer(self) -> PusherConsumer:
        """The server's side of the connection."""
        return cast(Any, self.server._handler).consumer

    # -- What the client does

    def shake_hands(self, cookie: str) -> None:
        """Ask for a socket."""
        self.server.data_received(HANDSHAKE.format(cookie=cookie).encode())

    def send(self, event: str, **data: Any) -> None:
        """Send a message."""
        self.server.data_received(frame(Opcode.TEXT, json.dumps({"event": event, "data": data}).encode()))

    def received(self, words: str) -> bool:
        """Return whether `words` were written."""
        return any(words.encode() in write for write in self.writes)

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages that were written."""
        written = b"".join(self.writes).decode("latin-1")
        begun = [found.start() for found in re.finditer(r'\{"event":', written)]
        return [json.JSONDecoder().raw_decode(written, at)[0] for at in begun]

    async def subscribe(self, channel: str) -> None:
        """Subscribe, and wait for the answer."""
        self.writes.clear()
        self.send("pusher:subscribe", channel=channel, auth="")
        await until(lambda: self.received("subscription_succeeded"))

    async def subscribe_at_once(self, *channels: str) -> None:
        """Subscribe to several channels and ping, all in one turn of the loop; wait for the last answer."""
        for channel in channels:
            self.send("pusher:subscribe", channel=channel, auth="")
        self.send("pusher:ping")
        await until(lambda: self.received("pusher:pong"))


async def connect_directly(user: User) -> DirectClient:
    """Open a socket as a page of `user` does, and wait until the connection is established."""
    cookie, peer = await sync_to_async(session_cookie)(user), DirectClient()
    peer.shake_hands(cookie)
    await until(lambda: peer.received("connection_established"))
    return peer
