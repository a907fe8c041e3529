"""Test malformed frames and handshakes on real sockets: the server reports them and goes on."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.integration.clients.conftest import Desk
from tests.support.clients.raw_client import BINARY, CLOSE, CONTINUATION, PING, TEXT, TIMEOUT, frame
from tests.support.servers import instances

PING_EVENT = b'{"event":"pusher:ping","data":{}}'


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest) -> instances.Server:
    return request.getfixturevalue(request.param)


@pytest.fixture
def client(server: instances.Server) -> Iterator[ClientConnection]:
    with greeted(server) as client:
        yield client


def opened(server: instances.Server, path: str = "/app/tikm?protocol=7", **options: Any) -> Any:
    """Connect to the server, and to nothing between."""
    return connect(f"ws://127.0.0.1:{server.port}{path}", compression=None, proxy=None, **options)


@contextmanager
def greeted(server: instances.Server, **options: Any) -> Iterator[ClientConnection]:
    with opened(server, **options) as client:
        assert json.loads(client.recv(TIMEOUT))["event"] == "pusher:connection_established"
        yield client


def event(client: ClientConnection) -> tuple[str, int | None]:
    """Return the next event's name and the code in it."""
    message = json.loads(client.recv(TIMEOUT))
    data = json.loads(message.get("data") or "{}")
    return message["event"], data.get("code")


def ended(client: ClientConnection) -> int | None:
    """Return the code with which the server closes."""
    try:
        while True:
            client.recv(TIMEOUT)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def serves(server: instances.Server) -> bool:
    """Return whether another client is served."""
    with greeted(server) as other:
        other.send(PING_EVENT.decode())
        return event(other) == ("pusher:pong", None)


def test_fragments_form_one_message(client: ClientConnection) -> None:
    for place in range(len(PING_EVENT)):
        opcode = CONTINUATION if place else TEXT
        client.socket.sendall(frame(opcode, PING_EVENT[place : place + 1], fin=place + 1 == len(PING_EVENT)))
        client.socket.sendall(frame(PING, b"between"))
    assert event(client) == ("pusher:pong", None)


def test_fragment_may_split_a_character(client: ClientConnection) -> None:
    text = '{"event":"pusher:ping","data":"\u00e9"}'.encode()
    cut = text.index(b"\xc3") + 1
    client.socket.sendall(frame(TEXT, text[:cut], fin=False) + frame(CONTINUATION, text[cut:]))
    assert event(client) == ("pusher:pong", None)


def test_oversized_message_is_an_error_and_the_socket_stays_open(client: ClientConnection) -> None:
    large = b'{"event":"pusher:ping","data":"' + b"x" * 100_000 + b'"}'
    client.socket.sendall(frame(TEXT, large))
    assert event(client) == ("pusher:error", 4200)
    client.socket.sendall(frame(TEXT, PING_EVENT))
    assert event(client) == ("pusher:pong", None)


def test_binary_message_closes_the_socket(server: instances.Server, client: ClientConnection) -> None:
    client.socket.sendall(frame(BINARY, b"\x00\xff" * 10))
    assert event(client) == ("pusher:error", 1003)
    assert ended(client) in (1003, 1000)  # Daphne does not send the first
    assert serves(server)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(frame(TEXT, b'{"event":"\xff\xfe"}'), id="not UTF-8"),
        pytest.param(frame(TEXT, b"\xed\xa0\x80"), id="half a character"),
        pytest.param(frame(TEXT, PING_EVENT, masked=False), id="without a mask"),
        pytest.param(frame(3, b"x"), id="an opcode without a meaning"),
        pytest.param(frame(TEXT, PING_EVENT, reserved=4), id="a reserved bit"),
        pytest.param(frame(CONTINUATION, b"x"), id="the continuation of nothing"),
        pytest.param(frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), id="a message within another"),
        pytest.param(frame(PING, b"x" * 126), id="a ping that is too long"),
        pytest.param(frame(PING, b"x", fin=False), id="a ping in fragments"),
        pytest.param(frame(CLOSE, b"\x00"), id="half a close code"),
        pytest.param(frame(CLOSE, struct.pack("!H", 1005)), id="a reserved close code"),
        pytest.param(bytes([0x81, 0xFF]) + b"\xff" * 12, id="a length beyond all lengths"),
    ],
)
def test_invalid_frame_closes_that_socket_alone(server: instances.Server, sent: bytes) -> None:
    with greeted(server) as client:
        client.socket.sendall(sent)
        assert ended(client) in (None, 1000, 1002, 1006, 1007, 1009)
    assert serves(server)


def test_client_lost_inside_a_message_costs_nothing(server: instances.Server) -> None:
    for _ in range(20):
        with greeted(server) as client:
            client.socket.sendall(frame(TEXT, PING_EVENT)[:-5])
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.shutdown(socket.SHUT_RDWR)
    assert serves(server)


@pytest.mark.parametrize("path", ["/app/%ff", "/app/%00", "/app/" + "x" * 5000, "/app/tikm/../tikm", "/%2e%2e", "/"])
def test_wrong_path_is_accepted_and_closed_with_a_code(server: instances.Server, path: str) -> None:
    with opened(server, path) as client:
        assert event(client)[1] in (4001, 4005)
        assert ended(client) in (4001, 4005)


def test_cross_origin_page_with_a_cookie_is_refused(server: instances.Server, desk: Desk) -> None:
    headers = {"Cookie": desk.sessions["bao"]}
    with opened(server, origin="https://evil.example", additional_headers=headers) as client:
        assert event(client) == ("pusher:error", 4009)
        assert ended(client) == 4009
    with greeted(server, origin=server.url, additional_headers=headers) as client:
        client.send(json.dumps({"event": "pusher:subscribe", "data": {"channel": f"private-{desk.channel}"}}))
        assert event(client)[0] == "pusher_internal:subscription_succeeded"
    with greeted(server, additional_headers=headers) as client:
        client.send(json.dumps({"event": "pusher:subscribe", "data": {"channel": f"private-{desk.channel}"}}))
        assert event(client)[0] == "pusher:subscription_error"


def test_server_log_has_no_traceback(server: instances.Server) -> None:
    log = server.log.read_text(errors="replace")
    assert "realtime/" not in log
    assert "consumers.py" not in log
    assert serves(server)
