"""Test Pysher and asyncpusher, with a signature of their own and with a user's API token."""

import asyncio
import json
import os
from contextlib import contextmanager
from queue import Queue
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import asyncpusher
import pysher
import pytest

from tests.support.servers.http_client import HttpClient

PATIENCE = 10  # seconds
REPLY, SUCCEEDED, ADDED = (
    "ticket.reply.created",
    "pusher_internal:subscription_succeeded",
    "pusher_internal:member_added",
)
ROOM = "room.shed"


def secret():
    return os.environ["REALTIME_APP_SECRET"]


def bearer(desk, name):
    return {"Authorization": f"Bearer {desk.tokens[name]}"}


def answers(desk, server, message):
    HttpClient(server.url, desk.sessions["casey"]).reply(desk.ticket, message)


class Ear:
    """What came on one channel of Pysher, which calls back on a thread of its own."""

    def __init__(self, client, channel, *events):
        self.received = Queue()
        subscribed = client.subscribe(channel)
        for event in (SUCCEEDED, *events):
            subscribed.bind(event, lambda data, event=event: self.received.put((event, json.loads(data))))
        self.present = self.receives(SUCCEEDED)

    def receives(self, event):
        """Return the data of the next event, which must have this name."""
        name, data = self.received.get(timeout=PATIENCE)
        assert name == event
        return data


@contextmanager
def connected(server, **options):
    """Connect Pysher, and take it away afterwards."""
    client = pysher.Pusher("tikm", secure=False, custom_host="127.0.0.1", port=server.port, **options)
    greeted = Queue()
    client.connection.bind("pusher:connection_established", greeted.put)
    client.connect()
    try:
        greeted.get(timeout=PATIENCE)
        yield client
    finally:
        client.disconnect(timeout=0)  # its thread waits for a frame that does not come any more


def test_pysher_signs_its_own_subscription_and_receives(back_end, every_kind):
    with connected(every_kind, secret=secret()) as client:
        socket = Ear(client, f"private-{ROOM}", "greeting")
        back_end.broadcast(f"private-{ROOM}", "greeting", '{"text":"Hello"}')
        assert socket.receives("greeting") == {"text": "Hello"}


def test_pysher_receives_presence_and_client_events(every_kind):
    zed, yve = ({"user_id": name, "user_info": {"name": name.title()}} for name in ("zed", "yve"))
    with connected(every_kind, secret=secret(), user_data=zed) as first:
        socket = Ear(first, f"presence-{ROOM}", ADDED, "client-wave")
        with connected(every_kind, secret=secret(), user_data=yve) as second:
            other = Ear(second, f"presence-{ROOM}")
            assert other.present["presence"]["hash"] == {"zed": {"name": "Zed"}, "yve": {"name": "Yve"}}
            assert socket.receives(ADDED) == yve
            second.channel(f"presence-{ROOM}").trigger("client-wave", {"at": "all"})
            assert socket.receives("client-wave") == {"at": "all"}


@pytest.mark.parametrize("name", ["bao", "casey"])
def test_pysher_follows_a_ticket_with_an_authorized_token(desk, uvicorn, name):
    endpoint = {"auth_endpoint": f"{uvicorn.url}/broadcasting/auth", "auth_endpoint_headers": bearer(desk, name)}
    with connected(uvicorn, **endpoint) as client:
        socket = Ear(client, f"private-{desk.channel}", REPLY)
        answers(desk, uvicorn, f"To {name}")
        # A reply of the moment before the subscription may come first.
        while (message := socket.receives(REPLY)["reply"]["message"]) != f"To {name}":
            assert message == "To bao"


def test_pysher_joins_a_presence_channel_with_a_token(desk, uvicorn):
    # It sends user data of its own beside the signature; what counts is what was signed.
    endpoint = {"auth_endpoint": f"{uvicorn.url}/broadcasting/auth", "auth_endpoint_headers": bearer(desk, "bao")}
    with connected(uvicorn, **endpoint, user_data={"user_id": desk.ids["ada"]}) as client:
        socket = Ear(client, f"presence-{desk.channel}")
        assert socket.present["presence"]["hash"][desk.ids["bao"]]["name"] == "Bao Nguyen"
        assert desk.ids["ada"] not in socket.present["presence"]["hash"]


def authorizer(server, headers):
    """Return how asyncpusher gets its signatures: from the site, by a token."""

    async def authorize(fields):
        request = Request(f"{server.url}/broadcasting/auth", urlencode(fields).encode(), headers)
        with await asyncio.to_thread(urlopen, request, timeout=PATIENCE) as response:
            return json.load(response)

    return authorize


async def receive_reply(desk, server, prefix, act):
    """Have Bao's asyncpusher subscribe, `act`, and return what came on the ticket's own channel."""
    received = asyncio.Queue()
    client = asyncpusher.Pusher(
        "tikm",
        secure=False,
        custom_host="127.0.0.1",
        custom_port=server.port,
        channel_authenticator=authorizer(server, bearer(desk, "bao")),
    )
    await client.connect()
    channel = await client.subscribe(f"{prefix}-{desk.channel}")
    for event in (SUCCEEDED, REPLY):
        channel.bind(event, received.put)
    async with asyncio.timeout(PATIENCE):
        answer = await received.get()
        act()
        reply = await received.get() if prefix == "private" else None
    await client.disconnect()
    return answer, reply


def test_asyncpusher_follows_a_ticket_with_a_token(desk, uvicorn):
    receiving = receive_reply(desk, uvicorn, "private", lambda: answers(desk, uvicorn, "To asyncpusher"))
    answer, reply = asyncio.run(receiving)
    assert (answer, reply["reply"]["message"]) == ({}, "To asyncpusher")


def test_asyncpusher_joins_a_presence_channel_with_a_token(desk, uvicorn):
    answer, _ = asyncio.run(receive_reply(desk, uvicorn, "presence", lambda: None))
    assert answer["presence"]["hash"][desk.ids["bao"]]["name"] == "Bao Nguyen"
