"""A user's open page at a running server: a real socket and the events on it."""

import json
import time
from contextlib import contextmanager

from websockets.sync.client import connect

from tests.support.servers.http_client import HttpClient
from tests.support.sockets import session_cookie

REPLY = "ticket.reply.created"


class PageClient:
    """A user with an open page at one of the servers."""

    def __init__(self, user, server):
        self.visitor = HttpClient(server.url, session_cookie(user))
        self.server = server
        self.received = []

    @contextmanager
    def subscribed(self, channel):
        """Subscribe to `channel` while the block runs; `answer` has the server's response."""
        address = self.server.url.replace("http", "ws", 1) + "/app/tikm?protocol=7"
        cookie = {"Cookie": self.visitor.cookies}
        with connect(address, origin=self.server.url, additional_headers=cookie) as self.socket:
            self.event("pusher:connection_established", within=60)
            self.socket.send(json.dumps({"event": "pusher:subscribe", "data": {"channel": channel, "auth": ""}}))
            self.answer = self.event("pusher_internal:subscription_succeeded", within=60)
            yield self

    def event(self, name, *, within):
        """Return the data of the next event called `name`, which comes within so many seconds."""
        deadline = time.monotonic() + within
        while True:
            frame = json.loads(self.socket.recv(timeout=deadline - time.monotonic()))
            self.received.append(frame["event"])
            if frame["event"] == name:
                return json.loads(frame["data"])

    def receives(self, message, *, within):
        """Assert that this is the next reply received: none is lost or doubled."""
        assert self.event(REPLY, within=within)["reply"]["message"] == message

    def leave(self, channel):
        """Unsubscribe from `channel`."""
        self.socket.send(json.dumps({"event": "pusher:unsubscribe", "data": {"channel": channel}}))

    def receives_only_pong(self):
        """Assert that nothing came before the answer to a ping that is sent now."""
        self.received.clear()
        self.socket.send('{"event": "pusher:ping", "data": {}}')
        self.event("pusher:pong", within=60)
        assert self.received == ["pusher:pong"]
