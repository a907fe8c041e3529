"""Behaves like a page's scripts: polls the history without a socket, asks the socket once reconnected."""

import asyncio
import json
import random
import re
import time
from collections import Counter
from urllib.parse import urlencode

from benchmarks import clients
from benchmarks.clients import Client
from benchmarks.site import Visitor

# As in static/js/live/live-updates.js.
FIRST_POLL = 1, 5  # seconds from losing the socket to the first poll, at random between these
POLL_INTERVAL = 5  # seconds between polls

REQUEST = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)", re.IGNORECASE)


class Busy(Exception):
    """The server answered 503."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Retry after {seconds} seconds.")
        self.seconds = seconds


class Pages:
    """The pages of one server, and counts of the answers they received."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cursor = ""
        self.counts: Counter[str] = Counter()
        self.durations: list[float] = []  # seconds of each history response

    async def open(self, visitor: Visitor) -> None:
        """Get the cursor that all pages were rendered with."""
        self.cursor = json.loads(await self._read(visitor, since=""))["cursor"]

    async def reconnect(self, client: Client, visitor: Visitor, refusals: Counter[str]) -> Client:
        """Wait until the socket is lost; return a new one once it is connected and caught up."""
        await client.ended
        asking = asyncio.create_task(self._poll_history(visitor))
        try:
            again = await clients.join_again(self._port, visitor, refusals)
        finally:
            asking.cancel()
        if await again.ask(self.cursor, visitor.channels):
            self.counts["on the socket"] += 1
        else:
            await self._ask_history(visitor)
        return again

    async def _poll_history(self, visitor: Visitor) -> None:
        await asyncio.sleep(random.uniform(*FIRST_POLL))
        while True:
            begun = time.monotonic()
            await self._ask_history(visitor)
            await asyncio.sleep(max(0, begun + POLL_INTERVAL - time.monotonic()))

    async def _ask_history(self, visitor: Visitor) -> None:
        """Retry until the history answers, as `Retry-After` says."""
        while True:
            begun = time.monotonic()
            try:
                await self._read(visitor, self.cursor)
            except Busy as busy:
                self.counts["history busy"] += 1
                await asyncio.sleep(busy.seconds)
            except (OSError, ValueError):
                self.counts["history failed"] += 1
                await asyncio.sleep(random.random() * POLL_INTERVAL)
            else:
                self.counts["history"] += 1
                self.durations.append(time.monotonic() - begun)
                return

    async def _read(self, visitor: Visitor, since: str) -> bytes:
        """Return the history's response. Raises Busy, OSError, ValueError."""
        query = urlencode([("since", since)] * bool(since) + [("channel", each) for each in visitor.channels])
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            asked = REQUEST.format(path=f"/broadcasting/history?{query}", port=self._port, cookie=visitor.cookie)
            writer.write(asked.encode())
            head, _, body = (await reader.read()).partition(clients.END_OF_HEAD)
        finally:
            writer.close()
        if after := RETRY_AFTER.search(head):
            raise Busy(int(after[1]))
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head)
        return body
