"""A push service on loopback, with the browser that is subscribed to it."""

import asyncio
import base64
import json
import threading
from typing import Any, Self

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.servers.webhook_receiver import ReceiverServer

CREATED, GONE, BROKEN = (f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode() for status in (201, 410, 500))
ADDRESS = "https://push.example.com/"  # the form refuses addresses on loopback


class BrowserKeys:
    """The keys of a browser: what it sends when it subscribes, and how it reads messages."""

    def __init__(self) -> None:
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"

    @property
    def values(self) -> dict[str, str]:
        """Return the keys as a browser sends them."""
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return {"p256dh": _encoded(self._key.public_key().public_bytes(*form)), "auth": _encoded(self._auth)}

    def decrypted(self, body: bytes) -> str:
        """Return the text of a message (RFC 8291)."""
        plain: bytes = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        return plain.decode()


class PushService:
    """Runs in a thread of its own: jobs send from the test's."""

    def __init__(self) -> None:
        self.keys = BrowserKeys()
        self.server: Any = None

    def __enter__(self) -> Self:
        self._loop, self._stop, is_up = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve(is_up)])
        self._thread.start()
        is_up.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)
        self._loop.close()

    async def _serve(self, is_up: threading.Event) -> None:
        async with ReceiverServer(answer=CREATED) as server:
            self.server = server
            is_up.set()
            await self._stop.wait()

    @property
    def url(self) -> str:
        """The address of the browser at this service."""
        return f"http://127.0.0.1:{self.server.port}/1"

    @property
    def received(self) -> list[dict[str, str]]:
        """The messages, as the browser reads them."""
        return [json.loads(self.keys.decrypted(request.body)) for request in self.server.got]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
