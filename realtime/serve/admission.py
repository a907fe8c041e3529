"""Admission control of requests in the process that also serves sockets.

Views run in few threads, so that sockets stay fast. When a process of sockets ends, all its pages ask the history for
what they missed: few of these requests run at a time, some wait, the others get 503 with a Retry-After.
"""

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from math import ceil
from typing import Any, Final

from django.urls import NoReverseMatch, reverse

from realtime.conf import config
from realtime.server import hub

MAX_VIEWS: Final = 4  # requests whose view runs at a time; others wait
BODY_TIMEOUT: Final = 30  # seconds in which a client has to send the next part of a request's body

MAX_CONCURRENT: Final = 2  # history requests that run at a time: half of the views
MAX_QUEUED: Final = 50  # history requests that wait: half a second's work
MIN_INTERVAL_UNDER_LOAD: Final = 0.25  # seconds from one history request to the next while many sockets connect
MIN_RETRY_AFTER: Final = 2  # seconds
MAX_RETRY_AFTER: Final = 30
RETRIES_PER_SECOND: Final = 50  # that all Retry-After together aim at
HALF_LIFE: Final = 10  # seconds after which a refused request counts half


class Refused(Exception):
    """The request gets this answer instead of the view's."""

    def __init__(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(reason)
        self._status, self._headers = status, headers

    async def answer(self, send: Any) -> None:
        """Send it, and close the connection."""
        body = f"{self}\n".encode()
        head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self._status, "headers": [*head, *self._headers]})
        await send({"type": "http.response.body", "body": body})


class BoundedQueue:
    """Admits MAX_CONCURRENT requests at a time and has MAX_QUEUED wait, on one event loop."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._queued = 0
        self._admitted_at = 0.0
        self._refused, self._refused_at = 0.0, time.monotonic()
        self.release = self._slots.release

    async def acquire(self, *, under_load: bool) -> None:
        """Wait for a slot. Raises `Refused` if the queue is full, or under load soon after another request."""
        now = time.monotonic()
        if self._queued >= MAX_QUEUED or (under_load and now - self._admitted_at < MIN_INTERVAL_UNDER_LOAD):
            retry_after = self._refuse(now)
            raise Refused(503, "Service Unavailable", ((b"retry-after", b"%d" % retry_after),))
        self._admitted_at = now
        self._queued += 1
        try:
            await self._slots.acquire()
        finally:
            self._queued -= 1

    def _refuse(self, now: float) -> int:
        """Count a refused request; return a random Retry-After, longer the more were refused lately."""
        self._refused = 1 + self._refused * 0.5 ** ((now - self._refused_at) / HALF_LIFE)
        self._refused_at = now
        longest = min(MAX_RETRY_AFTER, max(MIN_RETRY_AFTER, self._refused / RETRIES_PER_SECOND))
        return ceil(random.uniform(0.5, 1) * longest)  # noqa: S311  (not a secret)


class Admission:
    """ASGI middleware. A request takes its slots once its body is complete, and frees them with the response's head.

    A slow client therefore holds no slot, and one that disconnects does not free it while its view still runs.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._views = asyncio.Semaphore(MAX_VIEWS)
        self._histories, self._history_path = BoundedQueue(), history_path()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request; a WebSocket is passed on as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        async with AsyncExitStack() as slots:

            async def send_response(message: Any) -> None:
                await slots.aclose()
                await send(message)

            body = _Body(receive, lambda: self._admit(scope["path"], slots))
            try:
                await self._app(scope, body.receive, send_response)
            except Refused as refused:
                await refused.answer(send)

    async def _admit(self, path: str, slots: AsyncExitStack) -> None:
        if path == self._history_path:
            await self._histories.acquire(under_load=hub.here().queries.is_overloaded)
            slots.callback(self._histories.release)
        await slots.enter_async_context(self._views)


class _Body:
    """The body of a request, bounded in size and time."""

    def __init__(self, receive: Any, admit: Any) -> None:
        self._receive, self._admit = receive, admit
        self._size = 0
        self._is_complete = False

    async def receive(self) -> Any:
        """Return the next message; after the body none, so that a view is not cancelled halfway."""
        if self._is_complete:
            await asyncio.Event().wait()
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, "Request Timeout") from None
        self._size += len(message.get("body", b""))
        if self._size > config().max_upload:
            raise Refused(413, "Content Too Large")
        if message["type"] == "http.request" and not message.get("more_body"):
            self._is_complete = True
            await self._admit()
        return message


def history_path() -> str | None:
    """Return the history's path; None where a project does not serve it."""
    with suppress(NoReverseMatch):
        return reverse("realtime:history")
    return None
