"""People of good will beside somebody who is not: they hear everything, in order, whatever he does."""

import json
import threading
from contextlib import ExitStack, contextmanager, suppress

from websockets.exceptions import ConnectionClosed

from realtime.broadcasting.ephemeral import broadcast_now
from tests.support.instances import wait_until
from tests.support.live_user import Person

NOISE = "noise.made"
PATIENCE = 20  # seconds
AT_ONCE = 50  # events: what waits for the channel layer for long is not told


class Bystander(threading.Thread):
    """One of them: a socket that is read all the time."""

    def __init__(self, person):
        super().__init__()
        self.person = person
        self.heard = []

    def run(self):
        """Hear to the end."""
        with suppress(ConnectionClosed):
            for text in self.person.socket:
                self._hear(json.loads(text))

    def _hear(self, frame):
        if frame["event"] == NOISE:
            self.heard.append(json.loads(frame["data"])["number"])
        elif frame["event"] == "pusher:ping":
            self.person.socket.send('{"event": "pusher:pong", "data": {}}')


class Bystanders:
    """All of them, on one channel."""

    def __init__(self, channel, everybody):
        self.channel = channel
        self._everybody = everybody
        self.made = 0

    def make_noise(self, times, size=650):
        """Tell so many events of so many bytes; everybody hears them, each once and in order."""
        for begin in range(0, times, AT_ONCE):
            self._make_noise(min(AT_ONCE, times - begin), size)
        assert all(each.heard == list(range(self.made)) for each in self._everybody)

    def _make_noise(self, times, size):
        for number in range(self.made, self.made + times):
            broadcast_now([self.channel], NOISE, json.dumps({"number": number, "filling": "x" * size}))
        self.made += times
        wait_until(self._have_heard, timeout=PATIENCE, message="Somebody has not heard everything.")

    def _have_heard(self):
        return all(len(each.heard) >= self.made for each in self._everybody)


@contextmanager
def bystanders(people, server, channel):
    """Have these people listen while the block runs; nobody's socket may end meanwhile."""
    with ExitStack() as stack:
        everybody = [Bystander(stack.enter_context(Person(each, server).listening(channel))) for each in people]
        for each in everybody:
            each.start()
        yield Bystanders(channel, everybody)
        assert all(each.is_alive() for each in everybody)
    for each in everybody:
        each.join()
