"""Well-behaved subscribers beside a hostile client: they receive every event, in order."""

import json
import threading
from contextlib import ExitStack, contextmanager, suppress

from websockets.exceptions import ConnectionClosed

from realtime.broadcasting.ephemeral import broadcast_now
from tests.support.clients.page_client import PageClient
from tests.support.servers.instances import wait_until

LOAD_EVENT = "noise.made"
TIMEOUT = 60  # seconds, on a busy machine
BATCH_SIZE = 50  # events: the channel layer drops messages that wait for long


class Subscriber(threading.Thread):
    """One of them: a socket that is read all the time."""

    def __init__(self, person):
        super().__init__()
        self.person = person
        self.received = []

    def run(self):
        """Read until the socket closes."""
        with suppress(ConnectionClosed):
            for text in self.person.socket:
                self._record(json.loads(text))

    def _record(self, frame):
        if frame["event"] == LOAD_EVENT:
            self.received.append(json.loads(frame["data"])["number"])
        elif frame["event"] == "pusher:ping":
            self.person.socket.send('{"event": "pusher:pong", "data": {}}')


class Subscribers:
    """All of them, on one channel."""

    def __init__(self, channel, clients):
        self.channel = channel
        self._all = clients
        self.made = 0

    def broadcast(self, times, size=650):
        """Publish `count` events of `size` bytes; assert that all subscribers receive each once, in order."""
        for begin in range(0, times, BATCH_SIZE):
            self._broadcast(min(BATCH_SIZE, times - begin), size)
        assert all(each.received == list(range(self.made)) for each in self._all)

    def _broadcast(self, times, size):
        for number in range(self.made, self.made + times):
            broadcast_now([self.channel], LOAD_EVENT, json.dumps({"number": number, "filling": "x" * size}))
        self.made += times
        wait_until(self._have_received, timeout=TIMEOUT, message="A subscriber has not received every event.")

    def _have_received(self):
        return all(len(each.received) >= self.made for each in self._all)


@contextmanager
def subscribers(people, server, channel):
    """Subscribe these users while the block runs; no socket may close."""
    with ExitStack() as stack:
        clients = [Subscriber(stack.enter_context(PageClient(each, server).subscribed(channel))) for each in people]
        for each in clients:
            each.start()
        yield Subscribers(channel, clients)
        assert all(each.is_alive() for each in clients)
    for each in clients:
        each.join()
