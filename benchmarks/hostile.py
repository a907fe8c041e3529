"""Hostile clients that run until killed: `python -m benchmarks.hostile KIND PORT COOKIE CHANNEL`."""

import itertools
import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from tests.support.clients.raw_client import BINARY, CONTINUATION, HANDSHAKE, PING, TEXT, RawClient, frame

SILENT, UNSUBSCRIBED = 2000, 500
SLOW_CONSUMER = 4100
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
    """Subscribe to a busy channel and read nothing; on SIGTERM report whether the server closed the socket."""
    subscription = {"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}}
    reader = RawClient(port, f"Cookie: {cookie}", f"Origin: http://127.0.0.1:{port}", receive_buffer=4 * KILOBYTE)
    reader.send(frame(TEXT, json.dumps(subscription).encode()))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    report_started()
    signal.sigwait({signal.SIGTERM})
    reader.socket.settimeout(1)
    with suppress(TimeoutError):
        if reader.close_code() == SLOW_CONSUMER:
            print("closed", flush=True)


def flood(port: int, *_: str) -> None:
    """Send one flood after the other, as fast as the server accepts it, each on a new socket."""
    for sent in itertools.cycle(FLOODS):
        with suppress(OSError):
            flooder = RawClient(port)
            flooder.send(sent, times=400)
            flooder.close()
        report_started()
        print("closed", flush=True)


def hoard(port: int, *_: str) -> None:
    """Hold silent connections and sockets without subscriptions; replace those that are closed."""
    held: list[socket.socket] = []
    while True:
        for connection in [each for each in held if _is_over(each)]:
            held.remove(connection)
            connection.close()
            print("closed", flush=True)
        while len(held) < SILENT + UNSUBSCRIBED:
            held.append(socket.create_connection(("127.0.0.1", port)))
            if len(held) <= UNSUBSCRIBED:
                held[-1].sendall(f"{HANDSHAKE.format(port=port)}\r\n".encode())
        report_started()
        time.sleep(0.5)


@cache
def report_started() -> None:
    """Report once that the client has started."""
    print("started", flush=True)


def _is_over(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(64 * KILOBYTE)
    except BlockingIOError:
        return False
    except OSError:
        return True


KINDS: dict[str, Callable[..., None]] = {"reader": read_nothing, "flooder": flood, "hoarder": hoard}

if __name__ == "__main__":
    KINDS[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
