"""One port: handshakes stay with the sockets, everything else goes on to the pages, and says from whom it comes."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from uvicorn.server import ServerState

from realtime.server.query_batcher import QueryBatcher
from realtime.serving import door, relay
from realtime.serving.sockets import Config
from realtime.serving.spool import Spool
from realtime.serving.turnstile import LINE, MOST
from tests.support.sockets import PATIENCE, until

PAGE = b"GET /tickets/ HTTP/1.1\r\nHost: desk\r\n\r\n"
HISTORY = b"GET /broadcasting/history?channel=private-user.1 HTTP/1.1\r\nHost: desk\r\n\r\n"
HANDSHAKE = (
    b"GET /app/tikm?protocol=7 HTTP/1.1\r\nHost: desk\r\nConnection: keep-alive, Upgrade\r\nUPGRADE:  WebSocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
UPLOAD = b"POST /files/ HTTP/1.1\r\nHost: desk\r\nContent-Length: 100000\r\n\r\n"
IN_PIECES = b"POST /files/ HTTP/1.1\r\nHost: desk\r\nTransfer-Encoding: chunked\r\n\r\n"
BODY = b"x" * 100_000
LARGE = b"x" * 32 * 1024**2  # more than a system keeps for who does not read
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


class Asked(list):
    """Requests, each as its lines; and how many of them the pages are done with."""

    done = 0


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
        reader.say, reader.hang_up = writer.write, writer.close
        return reader

    knock.connections = state.connections

    async with listening, asyncio.timeout(PATIENCE):
        try:
            yield knock
        finally:
            for writer in writers:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
            await until(lambda: not (state.connections or state.tasks))
            assert Spool.in_all == 0


@asynccontextmanager
async def the_pages(place, answer=ANSWER):
    """Serve pages that answer always the same; yield what they were asked, line by line."""
    asked = Asked()

    async def serve(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        asked.done += 1

    async with await asyncio.start_unix_server(serve, place):
        yield asked


async def test_a_page_is_answered_by_the_pages_which_learn_who_asks(place):
    async with the_pages(place) as asked, a_door(place) as knock:
        assert await (await knock(PAGE)).read() == ANSWER
    assert asked[0][0].startswith(b"PROXY TCP4 127.0.0.1 127.0.0.1 ")
    assert asked[0][1] == b"GET /tickets/ HTTP/1.1"


@asynccontextmanager
async def pages_that_take_their_time(place):
    """Serve pages that answer once they are told to; yield what they were asked, and what tells them."""
    asked, go_on = Asked(), asyncio.Event()

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await go_on.wait()
        writer.write(ANSWER)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        asked.done += 1

    async with await asyncio.start_unix_server(serve, place):
        yield asked, go_on
        await until(lambda: asked.done == len(asked))


async def is_turned_away(knock):
    """Ask for the history; say whether the door itself answers to come again."""
    answer = await (await knock(HISTORY)).read()
    return answer.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: " in answer


async def crowd(knock, asked):
    """Have as many ask for the history as may wait; return them when the first are inside."""
    everybody = [await knock(HISTORY) for _ in range(MOST + LINE)]
    await until(lambda: len(knock.connections) == len(everybody) and len(asked) == MOST)
    return everybody


async def test_few_who_ask_for_the_history_are_let_in_at_a_time_and_whoever_asks_for_a_page_is(place):
    async with pages_that_take_their_time(place) as (asked, go_on), a_door(place) as knock:
        everybody = await crowd(knock, asked)
        assert await is_turned_away(knock)
        page = await knock(PAGE)
        await until(lambda: len(asked) == MOST + 1)
        go_on.set()
        assert [await each.read() for each in (*everybody, page)] == [ANSWER] * (MOST + LINE + 1)
        await until(lambda: not knock.connections)
        assert not await is_turned_away(knock)


async def test_whoever_goes_before_the_history_answers_leaves_his_place_when_it_does(place):
    async with pages_that_take_their_time(place) as (asked, go_on), a_door(place) as knock:
        for each in await crowd(knock, asked):
            each.hang_up()
        go_on.set()
        await until(lambda: not knock.connections)
        assert not await is_turned_away(knock)


async def test_whoever_has_not_said_all_takes_no_place_in_the_history(place):
    async with the_pages(place), a_door(place) as knock:
        for _ in range(MOST + LINE):
            await knock(HISTORY[:-2] + b"Content-Length: 9\r\n\r\n")
        await until(lambda: len(knock.connections) == MOST + LINE)
        assert not await is_turned_away(knock)


async def test_pages_that_are_away_take_no_place_in_the_history(place):
    async with a_door(place) as knock:
        for _ in range(MOST + LINE + 1):
            assert not await is_turned_away(knock)


async def test_while_many_are_let_in_with_sockets_few_are_let_into_the_history(place, monkeypatch):
    async with the_pages(place), a_door(place) as knock:
        monkeypatch.setattr(QueryBatcher, "is_crowded", True)
        assert [await is_turned_away(knock) for _ in range(3)] == [False, True, True]
        monkeypatch.setattr(QueryBatcher, "is_crowded", False)
        assert not await is_turned_away(knock)


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


async def test_the_pages_are_done_before_a_slow_reader_who_gets_all_of_it(place):
    async with the_pages(place, LARGE) as asked, a_door(place) as knock:
        reader = await knock(PAGE)
        await until(lambda: asked.done)
        assert await reader.readexactly(len(LARGE)) == LARGE
        assert await reader.read() == b""


async def test_who_reads_nothing_for_long_is_cut_off(place, monkeypatch):
    async with the_pages(place, LARGE) as asked, a_door(place) as knock:
        await knock(PAGE)
        await until(lambda: asked.done)
        assert Spool.in_all > 2**20
        monkeypatch.setattr(relay, "STALL", 0.05)
        (client,) = knock.connections
        client._look(None)
        await until(lambda: not knock.connections)


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        pytest.param(UPLOAD, BODY, id="length"),
        pytest.param(IN_PIECES, b"186a0\r\n" + BODY + b"\r\n0\r\n\r\n", id="pieces"),
    ],
)
async def test_a_slow_upload_is_passed_on_when_it_is_whole_and_nobody_waits_for_it(place, head, rest):
    async with the_pages(place) as asked, a_door(place) as knock:
        slow = await knock(head, rest[:-1])
        assert await (await knock(PAGE)).read() == ANSWER
        assert [request[1] for request in asked] == [b"GET /tickets/ HTTP/1.1"]
        slow.say(rest[-1:])
        assert await slow.read() == ANSWER
        assert asked[1][1] == b"POST /files/ HTTP/1.1"


async def test_an_upload_that_waits_to_be_asked_for_is_asked_for(place):
    async with the_pages(place), a_door(place) as knock:
        upload = await knock(UPLOAD.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert await upload.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        upload.say(BODY)
        assert await upload.read() == ANSWER


async def test_an_upload_that_stands_still_is_given_up(place, monkeypatch):
    monkeypatch.setattr(relay, "STALL", 0.05)
    async with the_pages(place) as asked, a_door(place) as knock:
        assert (await (await knock(UPLOAD, BODY[:-1])).readline()).startswith(b"HTTP/1.1 408 ")
    assert not asked


async def test_an_upload_has_a_bound_and_all_together_have_one(place, settings, monkeypatch):
    async with the_pages(place), a_door(place) as knock:
        settings.REALTIME = {**settings.REALTIME, "MAX_UPLOAD": 50_000}
        assert (await (await knock(UPLOAD, BODY[:60_000])).readline()).startswith(b"HTTP/1.1 413 ")
        monkeypatch.setattr(relay, "MAX_WAITING", 50_000)
        await knock(UPLOAD, BODY[:30_000])
        await until(lambda: Spool.in_all > 30_000)
        assert (await (await knock(UPLOAD, BODY[:30_000])).readline()).startswith(b"HTTP/1.1 503 ")
        assert await (await knock(PAGE)).read() == ANSWER


@pytest.mark.parametrize(
    "request_",
    [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nX\r\n\r\n", IN_PIECES + b"no number"],
)
async def test_what_is_no_request_is_told_so(place, request_):
    async with the_pages(place) as asked, a_door(place) as knock:
        assert (await (await knock(request_)).readline()).startswith(b"HTTP/1.1 400 ")
    assert not asked


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        pytest.param(b"Content-Length: 5\r\n", b"HTTP/1.1 400 Bad Request\r\n", id="with a body that does not come"),
        pytest.param(b"Connection: close\r\n", b"HTTP/1.1 426 Upgrade Required\r\n", id="to be closed"),
    ],
)
async def test_a_handshake_that_is_none_is_neither_kept_nor_answered_by_a_page(place, headers, answer):
    async with the_pages(place) as asked, a_door(place) as knock:
        reader = await knock(HANDSHAKE.replace(b"\r\n\r\n", b"\r\n" + headers + b"\r\n"))
        assert await reader.readline() == answer
        await reader.read()
        await until(lambda: not knock.connections)
    assert not asked


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
