"""Webhooks of a server and a worker reach a receiver, and Pusher's library accepts their signature."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

import pytest
from django.conf import settings
from pusher import Pusher

from tests.integration.servers.worker import Worker
from tests.support.servers import instances

SECRET = settings.REALTIME["APP_SECRETS"][0]
PATIENCE = 30  # seconds


class Receiver(HTTPServer):
    """Records the requests; the first one gets a 503."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.got = Queue()
        self.statuses = iter([503])

    def events(self):
        """Yield the events one after the other; an invalid signature fails the test."""
        pusher = Pusher(app_id="1", key="tikm", secret=SECRET, host="127.0.0.1")
        while True:
            headers, body = self.got.get(timeout=PATIENCE)
            yield from pusher.validate_webhook(headers["X-Pusher-Key"], headers["X-Pusher-Signature"], body)["events"]


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = next(self.server.statuses, 200)
        if status == 200:
            self.server.got.put((self.headers, body))
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        serving = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield receiver
        receiver.shutdown()
        serving.join()


def test_presence_and_client_events_reach_the_receiver(fresh_desk, start, receiver, tmp_path):
    environment = {
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "REALTIME_WEBHOOKS": f"http://127.0.0.1:{receiver.server_port}/hook",
        "REALTIME_WEBHOOK_NETWORKS": "127.0.0.1/32",
    }
    database = {"DATABASE_URL": fresh_desk.database_url}
    with (
        instances.server("daphne", database_url=fresh_desk.database_url, env=environment) as server,
        Worker(tmp_path, environment | database),
    ):
        channel, user = f"presence-{fresh_desk.channel}", fresh_desk.ids["bao"]
        bao = start("signed_member.js", port=server.port, secret=SECRET, user=user)
        bao.do("subscribe", channel=channel)
        bao.sees("subscribed", channel=channel)
        bao.do("whisper", channel=channel, event="client-viewing", data={})
        events = receiver.events()
        here = {"channel": channel, "user_id": user}
        expected = [
            {"name": "channel_occupied", "channel": channel},
            {"name": "member_added", **here},
            {"name": "client_event", "event": "client-viewing", "data": "{}", **here},
        ]
        for wanted in expected:
            while not wanted.items() <= next(events).items():
                pass
