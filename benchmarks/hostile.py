"""Clients of ill will, until killed: `python -m benchmarks.hostile KIND PORT COOKIE CHANNEL`."""

import itertools
import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from tests.support.raw_websocket import BINARY, CONTINUATION, HANDSHAKE, PING, TEXT, Peer, frame

IDLE, GREETED = 2000, 500
GIVEN_UP = 4100
KILOBYTE = 1024
FLOODS = [
    frame(TEXT, b'{"event":"pusher:ping","data":{}}') * 100,
    frame(TEXT, b"x" * 200 * KILOBYTE),
    frame(BINARY, b"x" * 10 * KILOBYTE),
    frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"", fin=False) * 1000,
    frame(PING, b"x" * 125) * 100,
    frame(TEXT, b"x" * KILOBYTE, reserved=4),
    frame(TEXT, b"x" * 16 * KILOBYTE**2),
]


def read_nothing(port: int, cookie: str, channel: str) -> None:
    """Subscribe to a busy channel and read nothing; on SIGTERM look whether the server has given this up."""
    subscription = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}}
    reader = Peer(port, f"Cookie: {cookie}", f"Origin: http://127.0.0.1:{port}", receive_buffer=4 * KILOBYTE)
    reader.send(frame(TEXT, json.dumps(subscription).encode()))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    say_begun()
    signal.sigwait({signal.SIGTERM})
    reader.socket.settimeout(1)
    with suppress(TimeoutError):
        if reader.close_code() == GIVEN_UP:
            print("hung up", flush=True)


def flood(port: int, *_: str) -> None:
    """Send one flood after the other, as fast as anybody takes it, each on a new socket."""
    for sent in itertools.cycle(FLOODS):
        with suppress(OSError):
            flooder = Peer(port)
            flooder.send(sent, times=400)
            flooder.close()
        say_begun()
        print("hung up", flush=True)


def hog(port: int, *_: str) -> None:
    """Hold connections that say nothing, and sockets that hear nothing; open anew those that are closed."""
    held: list[socket.socket] = []
    while True:
        for connection in [each for each in held if _is_over(each)]:
            held.remove(connection)
            connection.close()
            print("hung up", flush=True)
        while len(held) < IDLE + GREETED:
            held.append(socket.create_connection(("127.0.0.1", port)))
            if len(held) <= GREETED:
                held[-1].sendall(f"{HANDSHAKE.format(port=port)}\r\n".encode())
        say_begun()
        time.sleep(0.5)


@cache
def say_begun() -> None:
    """Say, once, that this has begun."""
    print("begun", flush=True)


def _is_over(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(64 * KILOBYTE)
    except BlockingIOError:
        return False
    except OSError:
        return True


KINDS: dict[str, Callable[..., None]] = {"reader": read_nothing, "flooder": flood, "hog": hog}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
