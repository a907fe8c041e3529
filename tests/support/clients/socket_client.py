"""A real socket at a running server: every frame that came, and when."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.servers import instances
from tests.support.servers.http_client import CSRF

TIMEOUT = 60  # seconds, on a busy machine
SUCCEEDED = "pusher_internal:subscription_succeeded"


@dataclass(frozen=True)
class Credentials:
    """Credentials: a page's cookie or a token; `signs` if sockets subscribe with signatures."""

    cookie: str = ""
    token: str = ""
    signs: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What requests bring."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        return {"Cookie": f"{self.cookie}; {settings.CSRF_COOKIE_NAME}={CSRF}", "X-CSRFToken": CSRF}


class RemoteSocket:
    """One socket, opened with a key."""

    def __init__(self, server: instances.Server, key: Credentials) -> None:
        self.server, self.key = server, key
        self.received: list[tuple[float, dict[str, Any]]] = []
        self.socket: ClientConnection | None = None
        self._news = asyncio.Condition()

    async def open(self, channels: list[str]) -> None:
        """Connect, and subscribe to these channels."""
        handshake = {} if self.key.signs else self.key.headers
        self.socket = await connect(
            f"{self.server.url.replace('http', 'ws', 1)}/app/tikm?protocol=7",
            origin=self.server.url if "Cookie" in handshake else None,
            additional_headers=handshake,
        )
        self.reading = asyncio.create_task(self._read())
        _, greeting = await self.until("pusher:connection_established")
        self.socket_id = greeting["data"]["socket_id"]
        for channel in channels:
            await self._subscribe(channel)
            await self.until(SUCCEEDED, channel)

    async def may_subscribe(self, channel: str) -> bool:
        """Subscribe; return whether that succeeded."""
        try:
            await self._subscribe(channel)
        except HTTPError:
            return False
        await self.barrier()
        return any(frame["event"] == SUCCEEDED and frame["channel"] == channel for _, frame in self.received)

    async def until(
        self, event: str, channel: str = "", *, user_id: str = "", message: str = ""
    ) -> tuple[float, dict[str, Any]]:
        """Return the time and the first frame that matches channel, user and reply text."""
        async with asyncio.timeout(TIMEOUT), self._news:
            while True:
                for moment, frame in self.received:
                    is_it = frame["event"] == event and channel in ("", frame.get("channel"))
                    matches_user = user_id in ("", frame["data"].get("user_id"))
                    if is_it and matches_user and message in ("", frame["data"].get("reply", {}).get("message")):
                        return moment, frame
                await self._news.wait()

    async def barrier(self) -> None:
        """Return once all has come that was written to this socket before now."""
        await self.send("pusher:ping")
        await self.until("pusher:pong")

    async def send(self, event: str, **data: str) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps({"event": event, "data": data}))

    async def close(self) -> None:
        """Disconnect."""
        if self.socket is not None:
            await self.socket.close()
            await self.reading

    async def _subscribe(self, channel: str) -> None:
        signed = await asyncio.to_thread(self._sign, channel) if self.key.signs else {"auth": ""}
        await self.send("pusher:subscribe", channel=channel, **signed)

    def _sign(self, channel: str) -> dict[str, str]:
        body = urlencode({"channel_name": channel, "socket_id": self.socket_id}).encode()
        request = Request(f"{self.server.url}/broadcasting/auth", body, self.key.headers)
        with urlopen(request, timeout=TIMEOUT) as response:
            return json.load(response)

    async def _read(self) -> None:
        try:
            while True:
                frame = json.loads(await self.socket.recv())
                if frame["event"] == "pusher:ping":
                    await self.send("pusher:pong")
                await self._note(frame | {"data": json.loads(frame.get("data", "{}"))})
        except ConnectionClosed as closed:
            await self._note({"event": "closed", "data": {"code": closed.rcvd.code if closed.rcvd else 1006}})

    async def _note(self, frame: dict[str, Any]) -> None:
        async with self._news:
            self.received.append((time.monotonic(), frame))
            self._news.notify_all()
