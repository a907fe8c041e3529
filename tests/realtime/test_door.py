"""One port: handshakes stay with the sockets, everything else goes on to the pages, and says from whom it comes."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from uvicorn.server import ServerState

from realtime.serving import door
from realtime.serving.sockets import Config
from tests.sockets import until

PAGE = b"GET /tickets/ HTTP/1.1\r\nHost: desk\r\n\r\n"
HANDSHAKE = (
    b"GET /app/tikm?protocol=7 HTTP/1.1\r\nHost: desk\r\nConnection: keep-alive, Upgrade\r\nUPGRADE:  WebSocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "pages")


@asynccontextmanager
async def a_door(pages):
    """Open one on a port of its own, and yield how to knock at it."""
    config, state = Config(pages), ServerState()
    config.load()
    listening = await asyncio.get_running_loop().create_server(lambda: door.Door(config, state, {}), "127.0.0.1", 0)
    writers = []

    async def knock(*parts):
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writers.append(writer)
        for part in parts:
            writer.write(part)
            await writer.drain()
        return reader

    async with listening:
        try:
            yield knock
        finally:
            for writer in writers:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
            await until(lambda: not (state.connections or state.tasks))


@asynccontextmanager
async def the_pages(place, answer=ANSWER):
    """Serve pages that answer always the same; yield what they were asked, line by line."""
    asked = []

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, place):
        yield asked


async def test_a_page_is_answered_by_the_pages_which_learn_who_asks(place):
    async with the_pages(place) as asked, a_door(place) as knock:
        assert await (await knock(PAGE)).read() == ANSWER
    assert asked[0][0].startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ")
    assert asked[0][1] == b"GET /tickets/ HTTP/1.1"


async def test_a_handshake_is_answered_here_whatever_its_headers_look_like(live_cast, place):
    async with the_pages(place) as asked, a_door(place) as knock:
        reader = await knock(HANDSHAKE)
        assert (await reader.readline()) == b"HTTP/1.1 101 Switching Protocols\r\n"
    assert not asked


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /?q=upgrade:websocket HTTP/1.1\r\nX: y\r\n\r\n",
        b"POST / HTTP/1.1\r\nX: y\r\n\r\n\r\nUpgrade: websocket\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nX-Upgrade: websocket\r\n\r\n",
    ],
)
async def test_who_only_talks_of_upgrades_is_answered_by_the_pages(place, request_):
    async with the_pages(place) as asked, a_door(place) as knock:
        assert await (await knock(request_)).read() == ANSWER
    assert len(asked) == 1


async def test_a_request_in_small_pieces_is_one_request(place):
    async with the_pages(place) as asked, a_door(place) as knock:
        assert await (await knock(*(bytes([byte]) for byte in PAGE))).read() == ANSWER
    assert asked[0][1:] == PAGE.split(b"\r\n")


async def test_a_large_answer_arrives_whole_though_its_reader_is_slow(place):
    large = b"x" * (4 * door.MAX_UNREAD)
    async with the_pages(place, large), a_door(place) as knock:
        reader = await knock(PAGE)
        assert await reader.readexactly(len(large)) == large


async def test_while_there_are_no_pages_the_answer_says_so(place):
    async with a_door(place) as knock:
        assert (await (await knock(PAGE)).readline()) == b"HTTP/1.1 503 Service Unavailable\r\n"


async def test_who_says_too_much_before_he_asks_is_refused(place):
    async with a_door(place) as knock:
        reader = await knock(b"GET / HTTP/1.1\r\nX: " + b"x" * (door.MAX_HEAD + 1))
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")


async def test_who_says_nothing_is_shown_the_door(place, monkeypatch):
    monkeypatch.setattr(door, "HEAD_WITHIN", 0.05)
    async with a_door(place) as knock:
        assert (await (await knock(b"GET / HT")).readline()).startswith(b"HTTP/1.1 408 ")
