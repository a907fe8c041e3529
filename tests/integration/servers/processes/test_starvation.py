"""Test that slow, flooding and idle clients cost others nothing and the server little."""

import json
import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from realtime import limits
from realtime.broadcasting import history
from tests.integration.servers.processes.subscribers import LOAD_EVENT, subscribers
from tests.support.clients.raw_client import BINARY, CLOSE, CONTINUATION, PING, TEXT, RawClient, frame
from tests.support.servers import instances
from tests.support.servers.instances import wait_until
from tests.support.sockets import session_cookie

TOO_MUCH = 4100
MEGABYTE = 1024**2
SMALL = 4096  # bytes that the system buffers for a client that does not read
LARGE = 9000  # bytes of an event
PATIENCE = 15  # seconds
PING_EVENT = b'{"event":"pusher:ping","data":{}}'


@pytest.fixture(scope="module")
def server(environment):
    env = {
        "SECRET_KEY": environment["SECRET_KEY"],
        "REDIS_PREFIX": environment["REDIS_PREFIX"],
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    addresses = {"database_url": environment["DATABASE_URL"], "redis_url": environment["REDIS_URL"]}
    with instances.server("uvicorn", **addresses, env=env) as server:
        yield server


@pytest.fixture
def others(live_cast, server):
    """Subscribers of Casey's ticket; the server keeps nothing of the hostile clients beside them."""
    with subscribers([live_cast.casey, live_cast.bao] * 3, server, live_cast.ticket.channel) as others:
        others.broadcast(5)
        before, memory = len(connections(server)), memory_of(server)
        yield others
        others.broadcast(5)
        wait_until(lambda: len(connections(server)) <= before, timeout=PATIENCE, message="Connections stayed.")
        assert memory_of(server) - memory < 16 * MEGABYTE


def memory_of(server):
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def connections(server):
    """Return, by the client's port, the bytes buffered by the system for each connection of the server."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [line for line in lines if port(line[1]) == server.port and port(line[2]) and line[9] != "0"]
    return {port(line[2]): int(line[4].partition(":")[0], 16) for line in ours}


def port(address):
    return int(address.partition(":")[2], 16)


@contextmanager
def peer(server, *headers, **options):
    """Open a socket and wait until the connection is established."""
    opened = RawClient(server.port, *headers, **options)
    try:
        opened.greeting = opened.event()
        yield opened
    finally:
        opened.close()


@contextmanager
def listening(server, user, channel):
    """Open a socket of `user` on a channel, which is not read unless one does so."""
    with peer(server, f"Cookie: {session_cookie(user)}", f"Origin: {server.url}", receive_buffer=SMALL) as listener:
        subscription = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}}
        listener.send(frame(TEXT, json.dumps(subscription).encode()))
        assert listener.event()["event"] == "pusher_internal:subscription_succeeded"
        yield listener


# -- Slow consumers


def test_slow_consumer_is_dropped_at_a_megabyte_and_catches_up(live_cast, server, others):
    channel, cursor, memory = live_cast.ticket.channel, history.current_cursor(), memory_of(server)
    with ExitStack() as stack:
        slow, *never = [stack.enter_context(listening(server, live_cast.casey, channel)) for _ in range(5)]
        live_cast.reply(live_cast.bao, "Before")
        broadcast_unread(slow, server, others, limits.MAX_WRITE_BUFFER // 2)
        for listener, act in zip(never, (says_nothing, says_goodbye, speaks_no_more, says_no_frame), strict=True):
            act(listener)
        broadcast_unread(slow, server, others, limits.MAX_WRITE_BUFFER)
        assert memory_of(server) - memory < 12 * MEGABYTE
        live_cast.reply(live_cast.bao, "After")
        *events, (opcode, close) = slow.frames()
        assert (opcode, struct.unpack("!H", close[:2])[0]) == (CLOSE, TOO_MUCH)
        assert whole_and_in_order(events)
        assert missed(server, live_cast.casey, channel, cursor) == ["Before", "After"]
        wait_until(lambda: not ports(never) & connections(server).keys(), timeout=PATIENCE, message="They stay.")


def says_nothing(listener):
    pass


def says_goodbye(listener):
    listener.send(frame(CLOSE, struct.pack("!H", 1000)))


def speaks_no_more(listener):
    listener.socket.shutdown(socket.SHUT_WR)


def says_no_frame(listener):
    listener.send(frame(3, b"x"))


def broadcast_unread(listener, server, others, size):
    """Publish until the server buffers `size` bytes for a subscriber, or has closed the socket."""
    (port,) = ports([listener])
    while (others.made - 5) * LARGE - connections(server)[port] - SMALL < size:
        others.broadcast(20, size=LARGE)


def ports(listeners):
    return {listener.socket.getsockname()[1] for listener in listeners}


def whole_and_in_order(frames):
    events = [json.loads(payload) for _, payload in frames]
    numbers = [json.loads(event["data"])["number"] for event in events if event["event"] == LOAD_EVENT]
    return len(numbers) > 20 and numbers == list(range(5, 5 + len(numbers)))


def missed(server, user, channel, cursor):
    """Return the replies in the history after reconnecting."""
    query = urlencode({"since": cursor, "channel": channel})
    asked = Request(f"{server.url}/broadcasting/history?{query}", headers={"Cookie": session_cookie(user)})
    with urlopen(asked, timeout=PATIENCE) as answer:
        events = json.load(answer)["events"]
    return [each["data"]["reply"]["message"] for each in events if each["event"] == "ticket.reply.created"]


# -- Floods

BEGINNING = frame(TEXT, b"x", fin=False)
FLOODS = [
    ("messages", b"", frame(TEXT, PING_EVENT) * 100, TOO_MUCH),
    ("large messages", b"", frame(TEXT, b"x" * 250_000), TOO_MUCH),
    ("messages beyond all bounds", b"", frame(TEXT, b"x" * 16 * MEGABYTE), 1009),
    ("binary messages", b"", frame(BINARY, b"x" * 10_000), 1003),
    ("pieces of a message", BEGINNING, frame(CONTINUATION, b"x" * 1000, fin=False), 1009),
    ("empty pieces", BEGINNING, frame(CONTINUATION, b"", fin=False) * 1000, TOO_MUCH),
    ("pings", b"", frame(PING, b"ping") * 1000, TOO_MUCH),
    ("compressed messages", b"", frame(TEXT, b"x" * 100, reserved=4), 1002),
]


def test_flooding_client_is_closed_with_a_code(server, others):
    with ThreadPoolExecutor(len(FLOODS)) as threads:
        flooding = [threads.submit(end_of_a_flood, server, *flood[1:3]) for flood in FLOODS]
        others.broadcast(100)
        codes = [each.result() for each in flooding]
    names = [flood[0] for flood in FLOODS]
    assert dict(zip(names, codes, strict=True)) == {flood[0]: flood[3] for flood in FLOODS}


def end_of_a_flood(server, beginning, sent):
    with peer(server) as flooder:
        flooder.send(beginning)
        flooder.send(sent, times=400)
        return flooder.close_code()


# -- Idle connections


def test_idle_connections_block_no_client_and_an_address_is_limited(live_cast, server, others):
    heads = (b"", b"GET /app/tikm HTTP/1.1\r\nUpgrade: websocket\r\n")
    with ExitStack() as hog:
        for number in range(1000):
            idle = hog.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            idle.sendall(heads[number % 2])
        crowd = [
            hog.enter_context(peer(server, came_from(7)))
            for _ in range(limits.MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS + 1)
        ]
        turned_away = [each for each in crowd if each.greeting["event"] == "pusher:error"]
        assert [each.close_code() for each in turned_away] == [TOO_MUCH]
        neighbour = hog.enter_context(peer(server, came_from(8)))
        assert neighbour.greeting["event"] == "pusher:connection_established"
        with subscribers([live_cast.dana], server, live_cast.ticket.channel):
            others.broadcast(20)


def came_from(number):
    return f"X-Forwarded-For: 203.0.113.{number}"
