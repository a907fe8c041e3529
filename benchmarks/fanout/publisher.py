"""Publishes on demand: `python -m benchmarks.fanout.publisher KIND CONTROL_PORT ADDRESS`.

Each line on CONTROL_PORT, a number and a channel, is an event. KIND says how it is published:

    ours    as `publish` does after the commit, without a row of the log
    log     by `publish`, in a transaction
    stock   by `group_send` of the channel layer, on a persistent connection
    nchan   by POST requests to ADDRESS, a port, on a persistent connection
"""

import asyncio
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

SIZE = 650  # bytes of an event, as a client receives it
FRAME = 290  # bytes of Pusher's frame and the event's own fields
OWN_IDS = 1 << 40  # ids of deliveries outside the log, beyond all ids in it

Publish = Callable[[str, str], Any]


def of_ours(_: str) -> Publish:
    """Return a function that dispatches an event like a committed delivery of the log."""
    from realtime import protocol
    from realtime.broadcasting import dispatcher, event_log
    from realtime.channels import Audience
    from realtime.models import Broadcast, Delivery

    ids = count(OWN_IDS)

    def publish_event(number: str, channel: str) -> None:
        data = protocol.encode(_data(number))
        row = Broadcast(pk=next(ids), event="fanout", public=data, staff=data)
        routes = [
            Delivery(pk=next(ids), channel=f"fanout-{channel}", audience=each, version=each) for each in Audience
        ]
        dispatcher.send([event_log.layer_message(route, row) for route in routes])

    return publish_event


def of_log(_: str) -> Publish:
    """Return a function that publishes an event."""
    from realtime.broadcasting.events import Event
    from realtime.broadcasting.publish import publish
    from realtime.channels import Audience

    class FanoutEvent(Event):
        broadcast_as = "fanout"

        def __init__(self, number: str, channel: str) -> None:
            self.number, self.channel = number, channel

        def broadcast_on(self) -> list[Any]:
            return [f"fanout-{self.channel}"]

        def broadcast_to(self) -> Audience:
            return Audience.PUBLIC

        def broadcast_guard(self) -> str:
            return ""

        def broadcast_with(self, audience: Audience) -> dict[str, Any]:
            return _data(self.number)

    return lambda number, channel: publish(FanoutEvent(number, channel))


def of_stock(_: str) -> Publish:
    """Return a function that sends to a group of the layer."""
    from channels.layers import get_channel_layer

    from benchmarks.fanout import stock  # noqa: F401 (its settings)

    layer, loop = get_channel_layer(), asyncio.new_event_loop()
    assert layer is not None

    def publish_event(number: str, channel: str) -> None:
        text = f"#{number}#".ljust(SIZE, "x")
        loop.run_until_complete(layer.group_send(f"fanout-{channel}", {"type": "broadcast", "text": text}))

    return publish_event


def of_nchan(port: str) -> Publish:
    """Return a function that POSTs an event without waiting for the response."""
    server = socket.create_connection(("127.0.0.1", int(port)))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def publish_event(number: str, channel: str) -> None:
        head = f"POST /publish?channel={channel} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {SIZE}\r\n\r\n"
        server.sendall((head + f"#{number}#".ljust(SIZE, "x")).encode())
        with suppress(BlockingIOError):  # no response yet
            server.recv(1 << 16, socket.MSG_DONTWAIT)

    return publish_event


def _data(number: str) -> dict[str, str]:
    return {"number": f"#{number}#", "filling": "x" * (SIZE - FRAME)}


def requests(port: int) -> Iterator[list[str]]:
    """Yield the fields of each line received on a port, one connection after the other."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile() as lines:
                yield from (line.split() for line in lines)


def main(kind: str, control: str, address: str) -> None:
    """Publish until killed."""
    if kind in ("ours", "log"):
        import django

        django.setup()
    publish_event = {"ours": of_ours, "log": of_log, "stock": of_stock, "nchan": of_nchan}[kind](address)
    for request in requests(int(control)):
        publish_event(*request)


if __name__ == "__main__":
    main(*sys.argv[1:])
