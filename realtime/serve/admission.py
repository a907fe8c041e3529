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

from realtime.serve.refused import Refused
from realtime.serve.request_body import RequestBody, Uploads
from realtime.server import hub

MAX_VIEWS: Final = 4  # requests whose view runs at a time; others wait

MAX_CONCURRENT: Final = 2  # history requests that run at a time: half of the views
MAX_QUEUED: Final = 50  # history requests that wait: half a second's work
MIN_INTERVAL_UNDER_LOAD: Final = 0.25  # seconds from one history request to the next while many sockets connect
MIN_RETRY_AFTER: Final = 2  # seconds
MAX_RETRY_AFTER: Final = 30
RETRIES_PER_SECOND: Final = 50  # that all Retry-After together aim at
HALF_LIFE: Final = 10  # seconds after which a refused request counts half


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
        self._views, self._uploads = asyncio.Semaphore(MAX_VIEWS), Uploads()
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

            with RequestBody(scope, receive, self._uploads) as body:
                body.on_complete = lambda: self._admit(scope["path"], slots)
                try:
                    await self._app(scope, body.receive, send_response)
                except Refused as refused:
                    await refused.answer(send)

    async def _admit(self, path: str, slots: AsyncExitStack) -> None:
        if path == self._history_path:
            await self._histories.acquire(under_load=hub.here().queries.is_overloaded)
            slots.callback(self._histories.release)
        await slots.enter_async_context(self._views)


def history_path() -> str | None:
    """Return the history's path; None where a project does not serve it."""
    with suppress(NoReverseMatch):
        return reverse("realtime:history")
    return None
