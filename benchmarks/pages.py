"""Pages as their scripts behave: while one has no socket it asks the history, and back again it asks the socket."""

import asyncio
import json
import random
import re
import time
from collections import Counter
from urllib.parse import urlencode

from benchmarks import clients
from benchmarks.clients import Client
from benchmarks.desk import Visitor

# As static/js/live/live-updates.js has them.
PATIENCE = 1, 5  # seconds after which a page that has lost its socket asks first: at random, between these
POLL = 5  # seconds from one question to the next

REQUEST = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)", re.IGNORECASE)


class Later(Exception):
    """The server is busy."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Come again in {seconds} seconds.")
        self.seconds = seconds


class Pages:
    """Of one server: what their questions were answered with."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cursor = ""
        self.answers: Counter[str] = Counter()
        self.took: list[float] = []  # seconds, of each history that came

    async def open(self, visitor: Visitor) -> None:
        """Take the cursor that all of them were rendered with."""
        self.cursor = json.loads(await self._read(visitor, since=""))["cursor"]

    async def return_(self, client: Client, visitor: Visitor, refusals: Counter[str]) -> Client:
        """Return the socket that a page has again, once it has lost this one and knows what it missed since."""
        await client.ended
        asking = asyncio.create_task(self._live_on_the_history(visitor))
        try:
            again = await clients.join_again(self._port, visitor, refusals)
        finally:
            asking.cancel()
        if await again.ask(self.cursor, visitor.channels):
            self.answers["on the line"] += 1
        else:
            await self._ask_history(visitor)
        return again

    async def _live_on_the_history(self, visitor: Visitor) -> None:
        await asyncio.sleep(random.uniform(*PATIENCE))
        while True:
            begun = time.monotonic()
            await self._ask_history(visitor)
            await asyncio.sleep(max(0, begun + POLL - time.monotonic()))

    async def _ask_history(self, visitor: Visitor) -> None:
        """Ask until it answers, each time when it is told to."""
        while True:
            begun = time.monotonic()
            try:
                await self._read(visitor, self.cursor)
            except Later as later:
                self.answers["history later"] += 1
                await asyncio.sleep(later.seconds)
            except (OSError, ValueError):
                self.answers["history failed"] += 1
                await asyncio.sleep(random.random() * POLL)
            else:
                self.answers["history"] += 1
                self.took.append(time.monotonic() - begun)
                return

    async def _read(self, visitor: Visitor, since: str) -> bytes:
        """Return the history's answer; raise Later, OSError or ValueError if there is none."""
        query = urlencode([("since", since)] * bool(since) + [("channel", each) for each in visitor.channels])
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            asked = REQUEST.format(path=f"/broadcasting/history?{query}", port=self._port, cookie=visitor.cookie)
            writer.write(asked.encode())
            head, _, body = (await reader.read()).partition(clients.END_OF_HEAD)
        finally:
            writer.close()
        if after := RETRY_AFTER.search(head):
            raise Later(int(after[1]))
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head)
        return body
