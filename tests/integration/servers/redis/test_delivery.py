"""Committed events are delivered once, within two seconds, whatever happens to the channel layer."""

import asyncio
import os
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
import redis
from django.conf import settings
from django.db import transaction

from realtime.broadcasting.channel_layer import default_layer, group_name
from realtime.channels import Audience
from realtime.server import hub
from tests.integration.servers.redis.publisher import DIED
from tests.support.servers.instances import TOP, wait_until
from tests.support.sockets import do, subscribe
from tickets import services

REPLY = "ticket.reply.created"
SOON = 20  # seconds: longer than a busy machine takes, shorter than a circuit or a lease stays open


async def assert_delivered(listener, message):
    """Assert that this reply is the next event, and arrives soon."""
    async with asyncio.timeout(SOON):
        assert (await listener.event(REPLY))["reply"]["message"] == message


async def assert_delivered_once(listener, message, channel):
    """Assert that a reply arrives soon, and not again when the log tailer has read it."""
    await assert_delivered(listener, message)
    await hub.here().log_tailer.read()
    assert await listener.receives_nothing(channel)


@asynccontextmanager
async def no_tail():
    """Stop the log tailer, so that events arrive through the layer only."""
    async with hub.here().log_tailer._reading:
        yield


def swallow(monkeypatch):
    """Have the layer take every message and pass none on; return those of them that it took."""
    taken = []

    async def take(group, body):
        taken.append(body)

    monkeypatch.setattr(default_layer(), "group_send", take)
    return taken


def refuse(monkeypatch):
    """Have the layer raise at every message; return those that it refused."""
    refused = []

    async def raise_error(group, body):
        refused.append(body)
        raise ConnectionError("The layer is having a bad day.")

    monkeypatch.setattr(default_layer(), "group_send", raise_error)
    return refused


def cut_before_each_message(monkeypatch, server):
    """Have Redis disconnect its subscribers before each message; return how many each time."""
    cuts, send = [], default_layer().group_send

    async def cut_and_send(group, body):
        cuts.append(server.cut_pubsub())
        await send(group, body)

    monkeypatch.setattr(default_layer(), "group_send", cut_and_send)
    return cuts


async def wait_for_subscription(server, channel, audience):
    """Return once Redis has a subscriber for this channel and audience."""
    name = f"{settings.REDIS_PREFIX}__group__{group_name(channel, audience)}"

    def is_subscribed():
        with redis.Redis.from_url(server.url) as client:
            return client.pubsub_numsub(name)[0][1]

    await asyncio.to_thread(wait_until, is_subscribed, timeout=10, message="The layer did not subscribe again.")


async def test_log_tailer_does_not_repeat_what_the_layer_delivered(live_cast):
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    async with no_tail():
        await do(live_cast.reply, live_cast.bao, "By the layer")
        await assert_delivered(casey, "By the layer")
    await hub.here().log_tailer.read()
    assert await casey.receives_nothing(live_cast.ticket.channel)


@pytest.mark.parametrize("fail", [refuse, swallow])
async def test_log_tailer_delivers_what_the_layer_lost(live_cast, fail, monkeypatch):
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    failed = fail(monkeypatch)
    await do(live_cast.reply, live_cast.bao, "Against all odds")
    await assert_delivered_once(casey, "Against all odds", live_cast.ticket.channel)
    assert any("Against all odds" in body["frame"] for body in failed)


async def test_events_arrive_while_redis_is_down_and_by_redis_afterwards(live_cast, redis_server):
    ticket = live_cast.ticket
    casey = await subscribe(live_cast.casey, ticket.channel)
    redis_server.kill()
    await do(live_cast.reply, live_cast.bao, "Without Redis")
    await assert_delivered_once(casey, "Without Redis", ticket.channel)
    # What the thread of the event loop starts ends with it.
    await do(redis_server.start)
    await wait_for_subscription(redis_server, ticket.channel, Audience.PUBLIC)
    async with no_tail():
        await do(live_cast.reply, live_cast.bao, "By Redis again")
        await assert_delivered(casey, "By Redis again")
    await hub.here().log_tailer.read()
    assert await casey.receives_nothing(ticket.channel)


async def test_events_arrive_when_redis_drops_its_subscribers(live_cast, redis_server, monkeypatch):
    ticket = live_cast.ticket
    casey = await subscribe(live_cast.casey, ticket.channel)
    with monkeypatch.context() as patch:
        cuts = cut_before_each_message(patch, redis_server)
        await do(live_cast.reply, live_cast.bao, "Into the void")
        await assert_delivered(casey, "Into the void")
    assert 1 in cuts
    await wait_for_subscription(redis_server, ticket.channel, Audience.PUBLIC)
    async with no_tail():
        await do(live_cast.reply, live_cast.bao, "By Redis again")
        await assert_delivered(casey, "By Redis again")
    await hub.here().log_tailer.read()
    assert await casey.receives_nothing(ticket.channel)


async def test_socket_opened_while_redis_is_down_receives_events(live_cast, redis_server):
    ticket = live_cast.ticket
    redis_server.kill()
    casey = await subscribe(live_cast.casey, ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Without Redis")
    await assert_delivered_once(casey, "Without Redis", ticket.channel)
    await do(redis_server.start)
    await wait_for_subscription(redis_server, ticket.channel, Audience.PUBLIC)
    async with no_tail():
        await do(live_cast.reply, live_cast.bao, "By Redis")
        await assert_delivered(casey, "By Redis")


async def test_event_of_a_process_killed_after_commit_is_delivered(live_cast, elsewhere):
    ticket = live_cast.ticket
    casey = await subscribe(live_cast.casey, ticket.channel)
    async with no_tail():
        died = await asyncio.to_thread(elsewhere, live_cast.bao.email, str(ticket.uuid), "Last words", "--die")
        assert died == DIED
        assert await casey.receives_nothing(ticket.channel)
    await assert_delivered_once(casey, "Last words", ticket.channel)


async def test_event_of_a_process_without_sockets_is_delivered(live_cast, elsewhere):
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    assert await asyncio.to_thread(elsewhere, live_cast.bao.email, str(live_cast.ticket.uuid), "From afar") == 0
    await assert_delivered_once(casey, "From afar", live_cast.ticket.channel)


@pytest.fixture
def elsewhere(environment):
    """Reply from a process of its own; return how it ended."""

    def reply(*words):
        command = [sys.executable, "-m", "tests.integration.servers.redis.publisher", *words]
        settings = {"DJANGO_SETTINGS_MODULE": "tests.settings", **environment}
        return subprocess.run(command, cwd=TOP, env={**os.environ, **settings}, check=False).returncode

    return reply


async def test_rolled_back_event_is_not_delivered(live_cast):
    ticket = live_cast.ticket
    people = [await subscribe(person, ticket.channel) for person in (live_cast.casey, live_cast.bao)]

    def reply(*, commit):
        with transaction.atomic():
            live_cast.reply(live_cast.dana, "Second thoughts")
            transaction.set_rollback(not commit)

    await do(reply, commit=False)
    await hub.here().log_tailer.read()
    for listener in people:
        assert await listener.receives_nothing(ticket.channel)
    await do(reply, commit=True)
    for listener in people:
        await assert_delivered(listener, "Second thoughts")


async def test_revoked_user_receives_no_later_event_while_the_layer_fails(live_cast, monkeypatch):
    ticket, own = live_cast.ticket, live_cast.bao.channel
    bao = await subscribe(live_cast.bao, ticket.channel)
    await bao.subscribe(own)
    casey = await subscribe(live_cast.casey, ticket.channel)
    taken = swallow(monkeypatch)

    def move_and_reply():
        services.update_ticket(ticket, by=live_cast.bao, values={"office": live_cast.orders})
        live_cast.reply(live_cast.emil, "Now with Orders")

    await do(move_and_reply)
    await assert_delivered(casey, "Now with Orders")
    async with asyncio.timeout(SOON):
        assert (await bao.event("pusher:subscription_error"))["status"] == 403
    await do(live_cast.reply, live_cast.emil, "Still with Orders")
    await assert_delivered(casey, "Still with Orders")
    assert await bao.receives_nothing(own)
    assert "ticket.updated" not in [frame["event"] for frame in bao.received]
    assert REPLY not in [frame["event"] for frame in bao.received]
    assert taken
