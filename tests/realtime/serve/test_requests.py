"""Requests on one port: handshakes reach the sockets, others the views; what a client can cost is bounded."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from uvicorn.server import ServerState

from realtime.serve import http, request_body
from realtime.serve.admission import MAX_CONCURRENT, MAX_QUEUED, MAX_VIEWS, Admission
from realtime.serve.request_body import MAX_UPLOADS_PER_ADDRESS, next_part_deadline
from realtime.serve.server import Config
from realtime.server.query_batcher import QueryBatcher
from tests.support.sockets import TIMEOUT, until
from tikm.asgi import application

PAGE = b"GET /tickets/ HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n\r\n"
HISTORY = PAGE.replace(b"/tickets/", b"/broadcasting/history?channel=private-user.1")
HANDSHAKE = (
    b"GET /app/tikm?protocol=7 HTTP/1.1\r\nHost: desk\r\nConnection: keep-alive, Upgrade\r\nUPGRADE:  WebSocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
UPLOAD = b"POST /files/ HTTP/1.1\r\nHost: desk\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = UPLOAD.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked")
BODY = b"x" * 100_000
END_OF_HEAD = b"\r\n\r\n"


class Site:
    """An ASGI application that reads a request and answers once its views may go on."""

    def __init__(self):
        self.requests = []  # path and body of each whose view runs or has run
        self.running = self.most_running = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "websocket":
            await application(scope, receive, send)
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        else:
            return
        self.requests.append((scope["path"], body))
        self.running += 1
        self.most_running = max(self.running, self.most_running)
        await self.may_go_on.wait()
        self.running -= 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})


class Server:
    """The site on a port of its own."""

    def __init__(self, site):
        self.site, self.state, self._writers = site, ServerState(), []
        self.config = Config(Admission(site))
        self.config.load()

    async def connect(self, *parts):
        """Send parts of a request; return the reader, which can send more or disconnect."""
        reader, writer = await asyncio.open_connection(*self.address)
        self._writers.append(writer)
        for part in parts:
            writer.write(part)
            await writer.drain()
        reader.write, reader.disconnect = writer.write, writer.close
        return reader

    async def status(self, *parts):
        """Return the status of a request's answer."""
        return int((await (await self.connect(*parts)).readline()).split(b" ")[1])

    async def close(self):
        for writer in self._writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        self.site.may_go_on.set()
        await until(lambda: not (self.state.connections or self.state.tasks))


@asynccontextmanager
async def serving():
    server = Server(Site())
    listening = await asyncio.get_running_loop().create_server(
        lambda: server.config.http_protocol_class(server.config, server.state, {}), "127.0.0.1", 0
    )
    server.address = listening.sockets[0].getsockname()
    async with listening, asyncio.timeout(TIMEOUT):
        try:
            yield server
        finally:
            await server.close()


async def is_refused(server):
    """Request the history; return whether the answer is to come back later."""
    head, _, body = (await (await server.connect(HISTORY)).read()).partition(END_OF_HEAD)
    assert body in (b"hello", b"Service Unavailable\n")
    return head.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: " in head


async def fill_history(server):
    """Have as many history requests as may run and wait; return them when the first run."""
    server.site.may_go_on.clear()
    requests = [await server.connect(HISTORY) for _ in range(MAX_CONCURRENT + MAX_QUEUED)]
    await until(lambda: len(server.state.tasks) == len(requests) and server.site.running == MAX_CONCURRENT)
    return requests


async def test_history_requests_are_bounded_and_pages_are_not_refused():
    async with serving() as server:
        requests = await fill_history(server)
        assert await is_refused(server)
        page = await server.connect(PAGE)
        await until(lambda: server.site.running == MAX_CONCURRENT + 1)
        server.site.may_go_on.set()
        assert all([(await each.read()).endswith(b"hello") for each in (*requests, page)])
        assert not await is_refused(server)


async def test_disconnected_client_frees_its_slot_when_the_view_ends():
    async with serving() as server:
        for each in await fill_history(server):
            each.disconnect()
        await until(lambda: not server.state.connections)
        assert await is_refused(server)
        server.site.may_go_on.set()
        await until(lambda: not server.state.tasks)
        assert not await is_refused(server)


async def test_incomplete_history_requests_take_no_slot():
    async with serving() as server:
        for _ in range(MAX_CONCURRENT + MAX_QUEUED):
            await server.connect(HISTORY[:-2] + b"Content-Length: 9\r\n\r\n")
        await until(lambda: len(server.state.tasks) == MAX_CONCURRENT + MAX_QUEUED)
        assert not await is_refused(server)


async def test_crowded_query_batcher_spaces_history_requests(monkeypatch):
    async with serving() as server:
        monkeypatch.setattr(QueryBatcher, "is_overloaded", True)
        assert [await is_refused(server) for _ in range(3)] == [False, True, True]
        monkeypatch.setattr(QueryBatcher, "is_overloaded", False)
        assert not await is_refused(server)


async def test_views_run_few_at_a_time_and_all_are_answered():
    async with serving() as server:
        server.site.may_go_on.clear()
        pages = [await server.connect(PAGE) for _ in range(3 * MAX_VIEWS)]
        await until(lambda: len(server.state.tasks) == len(pages))
        assert server.site.running == MAX_VIEWS
        server.site.may_go_on.set()
        assert all([(await each.read()).endswith(b"hello") for each in pages])
        assert server.site.most_running == MAX_VIEWS


async def test_handshake_reaches_the_sockets_whatever_the_case_of_its_headers(live_cast):
    async with serving() as server:
        assert await server.status(HANDSHAKE) == 101
        assert not server.site.requests


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /?q=upgrade:websocket HTTP/1.1\r\nX: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nX-Upgrade: websocket\r\n\r\n",
    ],
)
async def test_request_that_only_mentions_upgrades_reaches_a_view(request_):
    async with serving() as server:
        assert await server.status(request_) == 200
        assert len(server.site.requests) == 1


H2C = b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB" + END_OF_HEAD
KEPT = b"POST /files/ HTTP/1.1\r\nHost: desk\r\nContent-Length: 5\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"


@pytest.mark.parametrize("upgrade", [b"h2c", b"TLS/1.0", b"x", b"websocket/13", b"h2c, websocket"])
@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param(UPLOAD, BODY, id="length"),
        pytest.param(CHUNKED, b"186a0\r\n" + BODY + b"\r\n0\r\n\r\n", id="chunked"),
    ],
)
async def test_upgrade_to_another_protocol_is_ignored(head, body, upgrade):
    whole = head.replace(b"Connection: close\r\n", b"").replace(END_OF_HEAD, H2C.replace(b"h2c", upgrade, 1)) + body
    async with serving() as server:
        for parts in ([whole], [whole[:200], whole[200:]], [whole[: -len(body)], body], [whole[:-1], whole[-1:]]):
            assert await server.status(*parts) == 200
        assert server.site.requests == 4 * [("/files/", BODY)]


async def test_connection_goes_on_after_an_ignored_upgrade():
    async with serving() as server:
        reader = await server.connect(KEPT + b"hello" + KEPT + b"again" + PAGE)
        assert (await reader.read()).count(b"HTTP/1.1 200 ") == 3
        assert server.site.requests == [("/files/", b"hello"), ("/files/", b"again"), ("/tickets/", b"")]


async def test_incomplete_request_with_an_upgrade_runs_no_view():
    async with serving() as server:
        requests = [await server.connect(KEPT + b"hell") for _ in range(2 * MAX_VIEWS)]
        assert await server.status(PAGE) == 200
        for each in requests:
            each.disconnect()
        await until(lambda: not (server.state.connections or server.state.tasks))
        assert server.site.requests == [("/tickets/", b"")]


async def test_head_in_pieces_with_an_upgrade_is_one_request():
    async with serving() as server:
        assert await server.status(*(bytes([byte]) for byte in KEPT + b"hello")) == 200
        assert server.site.requests == [("/files/", b"hello")]


async def test_connect_request_gets_400():
    async with serving() as server:
        assert await server.status(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n") == 400
        assert not server.site.requests


async def test_handshake_with_a_body_is_refused():
    async with serving() as server:
        reader = await server.connect(HANDSHAKE.replace(END_OF_HEAD, b"\r\nContent-Length: 5" + END_OF_HEAD))
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        assert not server.site.requests


async def test_request_in_small_pieces_is_one_request():
    async with serving() as server:
        assert await server.status(*(bytes([byte]) for byte in PAGE)) == 200
        assert server.site.requests == [("/tickets/", b"")]


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        pytest.param(UPLOAD, BODY, id="length"),
        pytest.param(CHUNKED, b"186a0\r\n" + BODY + b"\r\n0\r\n\r\n", id="chunked"),
    ],
)
async def test_slow_uploads_do_not_keep_a_page_waiting(head, rest):
    async with serving() as server:
        slow = [await server.connect(head, rest[:-1]) for _ in range(2 * MAX_VIEWS)]
        assert await server.status(PAGE) == 200
        assert server.site.requests == [("/tickets/", b"")]
        slow[0].write(rest[-1:])
        assert (await slow[0].read()).endswith(b"hello")
        assert server.site.requests[1] == ("/files/", BODY)


async def test_upload_that_expects_100_continue_gets_it():
    async with serving() as server:
        upload = await server.connect(UPLOAD.replace(END_OF_HEAD, b"\r\nExpect: 100-continue" + END_OF_HEAD))
        assert await upload.readuntil(END_OF_HEAD) == b"HTTP/1.1 100 Continue\r\n\r\n"
        upload.write(BODY)
        assert (await upload.read()).endswith(b"hello")


async def test_stalled_upload_gets_408(monkeypatch):
    monkeypatch.setattr(request_body, "BODY_TIMEOUT", 0.05)
    async with serving() as server:
        assert await server.status(UPLOAD, BODY[:-1]) == 408
        assert not server.site.requests


async def test_upload_that_trickles_gets_408(monkeypatch):
    """Each part comes in time; together they come too slowly."""
    monkeypatch.setattr(request_body, "BODY_TIMEOUT", 0.3)
    async with serving() as server:
        upload = await server.connect(UPLOAD)
        answer = asyncio.create_task(upload.readline())
        while not answer.done():
            upload.write(b"x")
            await asyncio.wait([answer], timeout=0.05)
        assert (await answer).startswith(b"HTTP/1.1 408 ")
        assert not server.site.requests


@pytest.mark.parametrize(
    ("seconds", "size", "more"),
    [
        pytest.param(0, 0, 30, id="nothing yet"),
        pytest.param(29, 0, 1, id="still nothing"),
        pytest.param(29, 29, 1.00145, id="a byte each second"),
        pytest.param(600, 600 * 20_000, 30, id="slow enough"),
        pytest.param(600, 600 * 10_000, -270, id="too slow"),
        pytest.param(10, 10**7, 30, id="fast"),
    ],
)
def test_body_must_arrive_at_a_minimum_rate(seconds, size, more):
    assert next_part_deadline(1000, 1000 + seconds, size) - (1000 + seconds) == pytest.approx(more)


def from_address(head, address="203.0.113.7"):
    """Send a request through the trusted proxy at the loopback address."""
    return head.replace(END_OF_HEAD, f"\r\nX-Forwarded-For: {address}".encode() + END_OF_HEAD)


async def test_incomplete_uploads_are_bounded_per_address(settings):
    settings.REALTIME = {**settings.REALTIME, "TRUSTED_PROXIES": ["127.0.0.1"]}
    async with serving() as server:
        upload = from_address(UPLOAD)
        uploads = [await server.connect(upload, BODY[:-1]) for _ in range(MAX_UPLOADS_PER_ADDRESS)]
        await until(lambda: len(server.state.tasks) == MAX_UPLOADS_PER_ADDRESS)
        refused = await (await server.connect(upload, BODY)).read()
        assert refused.startswith(b"HTTP/1.1 429 ")
        assert b"\r\nretry-after: " in refused
        assert await server.status(from_address(CHUNKED)) == 429
        assert await server.status(from_address(PAGE)) == 200
        assert await server.status(from_address(UPLOAD, "203.0.113.8"), BODY) == 200
        uploads[0].disconnect()
        uploads[1].write(BODY[-1:])
        assert (await uploads[1].read()).endswith(b"hello")
        await until(lambda: len(server.state.tasks) == MAX_UPLOADS_PER_ADDRESS - 2)
        assert [await server.status(upload, BODY) for _ in range(3)] == [200] * 3


async def test_uploads_without_an_address_are_not_counted():
    async with serving() as server:
        uploads = [await server.connect(UPLOAD, BODY[:-1]) for _ in range(MAX_UPLOADS_PER_ADDRESS + 1)]
        await until(lambda: len(server.state.tasks) == len(uploads))
        assert await server.status(UPLOAD, BODY) == 200


async def test_large_upload_gets_413(settings):
    settings.REALTIME = {**settings.REALTIME, "MAX_UPLOAD": 50_000}
    async with serving() as server:
        assert await server.status(UPLOAD, BODY[:60_000]) == 413
        assert not server.site.requests


@pytest.mark.parametrize(
    "request_", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nX\r\n\r\n"]
)
async def test_invalid_request_gets_400(request_):
    async with serving() as server:
        assert await server.status(request_) == 400
        assert not server.site.requests


async def test_large_head_gets_431():
    async with serving() as server:
        assert await server.status(b"GET / HTTP/1.1\r\nX: " + b"x" * (http.MAX_HEAD + 1)) == 431


async def test_large_second_head_gets_431():
    async with serving() as server:
        reader = await server.connect(PAGE.replace(b"Connection: close\r\n", b""))
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        reader.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 2**20)
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("head", [b"", b"GET / HT"])
async def test_slow_head_gets_408(monkeypatch, head):
    monkeypatch.setattr(http, "HEAD_TIMEOUT", 0.05)
    async with serving() as server:
        assert await server.status(head) == 408
