"""The bodies of requests: bounded in size, in time, and in number per client address."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Self

from realtime.conf import config
from realtime.serve.refused import Refused
from realtime.utils.client_address import address_key, client_address, is_limited

BODY_TIMEOUT: Final = 30  # seconds in which a client has to send the next part
MIN_BODY_RATE: Final = 20_000  # bytes per second, on average, that it has to send after BODY_TIMEOUT
MAX_UPLOADS_PER_ADDRESS: Final = 20  # incomplete bodies at a time, in one worker
RETRY_AFTER: Final = 5  # seconds


class Uploads:
    """The number of incomplete bodies of each client address. Loopback and Unix sockets have no limit."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @contextmanager
    def count(self, address: str) -> Iterator[None]:
        """Count a body during the block. Raises `Refused` if the address sends MAX_UPLOADS_PER_ADDRESS already."""
        if not is_limited(address):
            yield
            return
        key = address_key(address)
        if self._counts[key] >= MAX_UPLOADS_PER_ADDRESS:
            raise Refused(429, "Too Many Requests", ((b"retry-after", b"%d" % RETRY_AFTER),))
        self._counts[key] += 1
        try:
            yield
        finally:
            self._counts -= Counter([key])  # drops zeros


class RequestBody:
    """The body of one request; a context manager that ends with the request."""

    on_complete: Callable[[], Awaitable[None]]  # is awaited before the last part is returned

    def __init__(self, scope: Any, receive: Callable[[], Awaitable[Any]], uploads: Uploads) -> None:
        self._scope, self._receive, self._uploads = scope, receive, uploads
        self._count = ExitStack()
        self._size, self._began_at = 0, 0.0
        self._is_complete = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._count.close()

    async def receive(self) -> Any:
        """Return the next ASGI message; after the body none, so that a view is not cancelled halfway.

        Raises `Refused` for a body that is too large or too slow, or for one too many of its address.
        """
        if self._is_complete:
            await asyncio.Event().wait()
        if not self._began_at:
            self._began_at = asyncio.get_running_loop().time()
            if _has_body(self._scope):
                self._count.enter_context(self._uploads.count(client_address(self._scope)))
        message = await self._next_message()
        self._size += len(message.get("body", b""))
        if self._size > config().max_upload:
            raise Refused(413, "Content Too Large")
        if message["type"] == "http.request" and not message.get("more_body"):
            self._is_complete = True
            self._count.close()
            await self.on_complete()
        return message

    async def _next_message(self) -> Any:
        deadline = next_part_deadline(self._began_at, asyncio.get_running_loop().time(), self._size)
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            raise Refused(408, "Request Timeout") from None


def next_part_deadline(began_at: float, now: float, size: int) -> float:
    """Return when the next part of a body must have arrived, of which `size` bytes have."""
    return min(now, began_at + size / MIN_BODY_RATE) + BODY_TIMEOUT


def _has_body(scope: Any) -> bool:
    """Return whether the headers announce a body (RFC 9112, section 6)."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 "))
        for name, value in scope["headers"]
    )
