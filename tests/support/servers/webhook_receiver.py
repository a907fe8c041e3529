"""A webhook receiver: an HTTP server that records requests and sends a configured response."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Self

ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@dataclass(frozen=True)
class ReceivedRequest:
    """A request: its first line, headers with lower-case names, and body."""

    line: str
    headers: dict[str, str]
    body: bytes


class ReceiverServer:
    """Responds with `answer`, followed by `endless` again and again."""

    def __init__(self, *, host="127.0.0.1", answer=ACCEPTED, endless=b"", ssl=None):
        self.host, self.answer, self.endless, self.ssl = host, answer, endless, ssl
        self.got: list[ReceivedRequest] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self._came = asyncio.Queue()
        self._server, self.port = None, 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.ssl)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.may_answer.set()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self):
        return f"http://{self.host}:{self.port}/hook"

    async def next(self) -> ReceivedRequest:
        """Return the next request."""
        async with asyncio.timeout(3):
            return await self._came.get()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *fields = head.strip().split("\r\n")
            headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
            post = ReceivedRequest(line, headers, await reader.readexactly(int(headers["content-length"])))
            self.got.append(post)
            self._came.put_nowait(post)
            await self.may_answer.wait()
            writer.write(self.answer)
            while self.endless:
                writer.write(self.endless)
                await writer.drain()
            await writer.drain()
        writer.close()
