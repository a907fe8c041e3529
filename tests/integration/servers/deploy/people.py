"""Two people at work through the proxy: one writes replies, pages receive them; both try again as programs do."""

import json
import threading
import time
import uuid
from contextlib import suppress
from threading import Thread
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException

from realtime.doctor.problem import Problem
from realtime.doctor.site import Site
from realtime.doctor.socket_client import Closed, Socket
from tests.support.servers.http_client import CSRF
from tests.support.servers.instances import wait_until

PAUSE = 0.3  # seconds between two messages, and two tries
CURSOR_SECONDS = 5.0
RECONNECT_PAUSE = 1.0  # seconds, as pusher-js waits: the history admits two requests a second of one user
ERRORS = (OSError, WebSocketException, EOFError, Closed, Problem, ValueError)


class Person:
    """A user with a session, behind the proxy."""

    def __init__(self, url, session, csrf_cookie="csrftoken"):
        self.site, self.cookies = Site.at(url), f"{session}; {csrf_cookie}={CSRF}"

    def request(self, path, *, body=None, **headers):
        headers |= {"Cookie": self.cookies, "X-CSRFToken": CSRF, "Origin": self.site.url}
        method = "GET" if body is None else "POST"
        return self.site.request(path, method=method, headers=headers, body=body or b"")


class Writer(Person, Thread):
    """Writes numbered replies until stopped; each is sent again, with its key, until it is accepted."""

    def __init__(self, url, session, ticket):
        Person.__init__(self, url, session)
        Thread.__init__(self, daemon=True)
        self._path, self._stopping = f"/api/v1/tickets/{ticket.uuid}/replies/", threading.Event()
        self.accepted, self.retries = [], 0

    def run(self):
        while not self._stopping.is_set():
            text, key = f"message {len(self.accepted)}", str(uuid.uuid4())
            while not self._is_accepted(text, key):
                self.retries += 1
                time.sleep(PAUSE)
            self.accepted.append(text)
            time.sleep(PAUSE)

    def _is_accepted(self, text, key):
        body = json.dumps({"message": text})
        with suppress(Problem):
            headers = {"Content-Type": "application/json", "Idempotency-Key": key}
            return self.request(self._path, body=body, **headers).status == 201
        return False

    def stop(self):
        self._stopping.set()
        self.join(60)


class Page(Person, Thread):
    """Keeps a socket open; after each interruption it asks the history for what it has missed."""

    def __init__(self, url, session, channel):
        Person.__init__(self, url, session)
        Thread.__init__(self, daemon=True)
        self._channel, self._stopping = channel, threading.Event()
        self.received, self.connections, self.is_live = {}, 0, False
        self._cursor = self._history()["cursor"]

    def run(self):
        while not self._stopping.is_set():
            with suppress(*ERRORS):
                self._follow()
            self.is_live = False
            self._stopping.wait(RECONNECT_PAUSE)

    def _follow(self):
        socket = Socket(self.site, "tikm", origin=self.site.url, cookie=self.cookies)
        try:
            socket.wait_for("pusher:connection_established", seconds=10)
            socket.send("pusher:subscribe", {"channel": self._channel, **self._authorize(socket.socket_id)})
            socket.wait_for("pusher_internal:subscription_succeeded", seconds=10)
            self.connections, self.is_live = self.connections + 1, True
            self._catch_up()
            while not self._stopping.is_set():
                if time.monotonic() - self._caught_up_at > CURSOR_SECONDS:
                    self._catch_up()
                with suppress(TimeoutError):
                    frame = socket.receive(0.5)
                    self._apply(frame["event"], frame.get("data"))
        finally:
            socket.close()

    def _catch_up(self):
        """Apply what came since the cursor, and move it: the history goes back for 500 events."""
        missed = self._history(self._cursor)
        if missed["reset"]:
            raise AssertionError("The page would have to reload.")
        for event in missed["events"]:
            self._apply(event["event"], event["data"])
        self._cursor, self._caught_up_at = missed["cursor"], time.monotonic()

    def _apply(self, event, data):
        if event == "ticket.reply.created":
            self.received.setdefault(data["event_id"], data["reply"]["message"])

    def _authorize(self, socket_id):
        form = urlencode({"socket_id": socket_id, "channel_name": self._channel})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return json.loads(self.request("/broadcasting/auth", body=form, **headers).body)

    def _history(self, since=None):
        query = urlencode({"channel": self._channel} | ({"since": since} if since else {}))
        response = self.request(f"/broadcasting/history?{query}")
        if response.status != 200:
            raise ValueError(response.text)
        return json.loads(response.body)

    def has(self, texts):
        return set(texts) <= set(self.received.values())

    def stop(self):
        self._stopping.set()
        self.join(60)


def all_arrive(writer, pages, *, after, more=3):
    """Wait until the writer has written some more, and every page has received all."""
    enough = len(writer.accepted) + more
    wait_until(lambda: len(writer.accepted) >= enough, timeout=120, message=f"Nothing is accepted after: {after}")
    texts = list(writer.accepted)
    received = f"A page misses messages after: {after}"
    wait_until(lambda: all(page.has(texts) for page in pages), timeout=120, message=received)
