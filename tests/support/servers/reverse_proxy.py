"""A reverse proxy for tests: it ends TLS, and can be as wrong as an operator's first configuration."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Thread

MAX_HEAD = 64 * 1024


@dataclass(frozen=True)
class Rules:
    """What the proxy does: a right one by default."""

    upstream: int  # port
    host: str = ""  # replaces the Host header
    forwards_upgrade: bool = True
    forwards_scheme: bool = True
    idle_timeout: float = 75  # seconds without data until a connection is cut
    shifts_date: str = ""  # replaces the Date header of responses
    refuses: str = ""  # a path that is answered with 403


class ReverseProxy:
    """Runs in a thread; each connection carries one request, or one socket."""

    def __init__(self, rules, *, certificate=None):
        self.rules, self._certificate = rules, certificate
        self._loop = asyncio.new_event_loop()

    def __enter__(self):
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def url(self):
        return f"{'https' if self._certificate else 'http'}://localhost:{self.port}"

    def change(self, **rules):
        """Change the configuration."""
        self.rules = replace(self.rules, **rules)

    async def _start(self):
        context = None
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self._certificate)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self):
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        writers = [writer]
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            head = await reader.readuntil(b"\r\n\r\n")
            if self.rules.refuses and self.rules.refuses.encode() in head.split(b"\r\n")[0]:
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
            else:
                await self._forward(head, reader, writer, writers)
        for each in writers:
            each.close()

    async def _forward(self, head, reader, writer, writers):
        try:
            answers, upstream = await asyncio.open_connection("127.0.0.1", self.rules.upstream)
        except ConnectionRefusedError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        writers.append(upstream)
        upstream.write(self._request(head))
        both = [self._copy(reader, upstream), self._answer(answers, writer)]
        tasks = [asyncio.ensure_future(each) for each in both]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _request(self, head):
        lines = head.decode("latin-1").split("\r\n")[:-2]
        dropped = ["x-forwarded-proto"]
        dropped += [] if self.rules.forwards_upgrade else ["upgrade", "connection"]
        dropped += ["host"] if self.rules.host else []
        kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
        kept += [f"Host: {self.rules.host}"] if self.rules.host else []
        kept += [f"X-Forwarded-Proto: {'https' if self._certificate else 'http'}"] * self.rules.forwards_scheme
        return "\r\n".join([*kept, "", ""]).encode("latin-1")

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        if self.rules.shifts_date:
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
            head = b"\r\n".join([lines[0], f"Date: {self.rules.shifts_date}".encode(), *lines[1:]])
        writer.write(head)
        await self._copy(reader, writer)

    async def _copy(self, reader, writer):
        while True:
            async with asyncio.timeout(self.rules.idle_timeout):
                data = await reader.read(MAX_HEAD)
            if not data:
                return
            writer.write(data)
            await writer.drain()
