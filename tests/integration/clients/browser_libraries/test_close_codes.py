"""What the real pusher-js does with each close code: comes back at once, after a second, by TLS, or never."""

import json
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from tests.support.clients.node_clients import NodeClient

AT_ONCE, AFTER_A_SECOND, BY_TLS, NEVER = "at once", "after a second", "by TLS, at once", "never"

TABLE = {
    BY_TLS: [4000],
    NEVER: [4001, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4099, 4300, 4301, 4999],
    AFTER_A_SECOND: [4100, 4199, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1011, 1012],
    AT_ONCE: [4200, 4201, 4202, 4299],
}
EXPECTED_REACTION = {code: what for what, codes in TABLE.items() for code in codes}

# Our server sends the close code in a pusher:error too, for libraries that lose close codes.
CONNECTED, ON_HANDSHAKE, WITH_ERROR = "connected", "on-handshake", "with-error"
CASES = [
    (code, when)
    for code in EXPECTED_REACTION
    for when in (CONNECTED, ON_HANDSHAKE, WITH_ERROR)
    if code >= 4000 or when != WITH_ERROR
]


class Closer:
    """Close each client's first connection with the code in its key, and establish the second one."""

    def __init__(self) -> None:
        self._visits: defaultdict[str, int] = defaultdict(int)

    def __call__(self, connection: ServerConnection) -> None:
        """Serve one connection to `/app/{when}.{code}`."""
        with suppress(ConnectionClosed):
            self._serve(connection, connection.request.path.split("?")[0].removeprefix("/app/"))

    def _serve(self, connection: ServerConnection, key: str) -> None:
        when, code = key.split(".")
        self._visits[key] += 1
        is_first = self._visits[key] == 1
        if not is_first or when == CONNECTED:
            say(connection, "pusher:connection_established", {"socket_id": "1.1", "activity_timeout": 120})
        if is_first and when == WITH_ERROR:
            say(connection, "pusher:error", {"code": int(code), "message": "Because"})
        if is_first:
            close(connection.socket, int(code))
        for _ in connection:
            pass


def say(connection: ServerConnection, event: str, data: dict) -> None:
    connection.send(json.dumps({"event": event, "data": json.dumps(data)}))


def close(tcp: socket.socket, code: int) -> None:
    """Close with `code`, also with one that no well-behaved server can send (RFC 6455, 7.4.1)."""
    if code == 1006:
        tcp.shutdown(socket.SHUT_RDWR)
    elif code == 1005:
        tcp.sendall(b"\x88\x00")
    else:
        tcp.sendall(b"\x88\x02" + code.to_bytes(2))


@contextmanager
def closer() -> Iterator[int]:
    """Run the server, and return its port."""
    with serve(Closer(), "127.0.0.1", 0, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


def reaction(outcome: dict) -> str:
    """Return when a client reconnected, if it did."""
    if outcome["wait"] is None:
        return NEVER
    if outcome["isSecure"]:
        return BY_TLS if outcome["wait"] == 0 else "by TLS, late"
    return {0: AT_ONCE, 1000: AFTER_A_SECOND}.get(outcome["wait"], "some other time")


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, dict]]:
    """Return what each client did. All run at once; those that must not reconnect have a process of their own."""
    keys = [
        [f"{when}.{code}" for code, when in CASES if (code in TABLE[NEVER]) == given_up] for given_up in (True, False)
    ]
    with closer() as port, ExitStack() as stack:
        given_up, back = clients = [
            NodeClient("close_codes.js", port=port, securePort=port, keys=some) for some in keys
        ]
        for client in clients:
            stack.callback(client.end)
        outcomes = given_up.sees("outcomes", within=20)["outcomes"] | back.sees("outcomes", within=20)["outcomes"]
        # A client that will retry has a timer and keeps running; one that has given up exits.
        assert given_up.process.wait(timeout=5) == 0
        assert back.process.poll() is None
        yield outcomes


@pytest.mark.parametrize(("code", "when"), CASES)
def test_client_reacts_to_each_close_code(outcomes, code, when):
    assert reaction(outcomes[f"{when}.{code}"]) == EXPECTED_REACTION[code]


BINARY = None  # a frame of bytes
PONG = '{"event":"pusher:pong"}'
MISTAKES = [
    pytest.param(4001, {"key": "unknown-key"}, id="unknown key"),
    pytest.param(4005, {"path": "/elsewhere"}, id="wrong path"),
    pytest.param(4006, {"version": "eight and a half"}, id="no version"),
    pytest.param(4007, {"protocol": 4}, id="old protocol"),
    pytest.param(4009, {"origin": "https://elsewhere.example"}, id="foreign origin"),
    pytest.param(4100, {"sends": [PONG] * 1000}, id="flood"),
    pytest.param(1003, {"sends": [BINARY]}, id="binary frame"),
]
# Daphne sends no code below 3000 but 1000; the client does the same for both.
SENT_CODE = {("daphne", 1003): 1000}


@pytest.mark.parametrize(("code", "mistake"), MISTAKES)
@pytest.mark.parametrize("kind", ["daphne", "uvicorn"])
def test_server_sends_the_close_code_of_each_mistake(start, request, kind, code, mistake):
    key = mistake.get("key", "tikm")
    server = request.getfixturevalue(kind)
    client = start("close_codes.js", port=server.port, keys=[key], mistake=mistake)
    outcome = client.sees("outcomes", within=20)["outcomes"][key]
    assert outcome["code"] == SENT_CODE.get((kind, code), code)
    assert reaction(outcome) == EXPECTED_REACTION[code]
