"""Two installations on one Redis server receive, see and count nothing of each other."""

import os
import runpy
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.cache import caches
from django.test import override_settings
from limits import parse

from jobs import wake_up
from realtime.broadcasting import cached_events, channel_layer
from realtime.broadcasting.channel_layer import PROCESS_GROUPS, group_name
from realtime.broadcasting.expiring_values import expiring_values
from realtime.broadcasting.messages import Ephemeral, encode
from realtime.channels import Audience
from realtime.presence.store import EntryChange, ProcessReport, SyncRequest, presence_store
from realtime.protocol import Member
from realtime.utils import rate_limits
from tests.integration.servers.conftest import NAMES
from tests.support.servers import instances
from tests.support.sockets import do, subscribe

OFFICE = "presence-office.1"


@pytest.fixture(params=[0, 1], ids=lambda number: f"database {number}")
def other(request, redis_server, monkeypatch):
    """Another installation, with the product's own settings: its own secret, on this database number of the Redis."""
    url = f"{redis_server.url.partition('?')[0]}?{urlencode({'db': request.param})}"
    with patch.dict(os.environ, {"REDIS_URL": url, "SECRET_KEY": "another-desk-" + "y" * 40}):
        product = runpy.run_path(str(instances.TOP / "tikm/settings.py"))
    redis.Redis.from_url(redis_server.url).flushall()
    return SimpleNamespace(**{name: product[name] for name in NAMES})


@contextmanager
def inside(installation):
    """Run as the other installation: its settings, and none of the objects made for ours."""
    rate_limits._redis_limiter.cache_clear()
    with override_settings(**vars(installation)):
        yield
    rate_limits._redis_limiter.cache_clear()


async def test_sockets_receive_nothing_of_another_installation(live_cast, other):
    agent = await subscribe(live_cast.bao, live_cast.ticket.channel)
    theirs = RedisPubSubChannelLayer(**other.CHANNEL_LAYERS["default"]["CONFIG"])
    groups = [group_name(live_cast.ticket.channel, audience) for audience in Audience]
    for group in (*groups, *PROCESS_GROUPS):
        await theirs.group_send(group, encode(Ephemeral(group, '{"event":"ticket.created","data":"{}"}')))
    for group in groups:  # ours, so that theirs would have arrived before
        await channel_layer.default_layer().group_send(
            group, encode(Ephemeral(group, '{"event":"ours","data":"{}"}'))
        )
    await agent.event("ours")
    assert [frame["event"] for frame in agent.received if frame["event"].startswith("ticket.")] == []
    await agent.close()


def test_presence_of_another_installation_is_not_shown(other):
    report = ProcessReport("theirs", 0.0, 7, 7, 7, 0.0, 0.0)
    with inside(other):
        entry = EntryChange(OFFICE, 1, Member("dana", {"name": "Dana"}))
        presence_store().sync(SyncRequest("theirs", changes=[entry], report=report, connection_counts={"user:1": 99}))
        presence_store().request_sockets()
        assert presence_store().occupied()[OFFICE].members.keys() == {"dana"}
    assert presence_store().occupied() == {}
    assert presence_store().processes() == []
    ours = presence_store().sync(SyncRequest("ours", report=report))
    assert not ours.wants_sockets
    assert presence_store().admit_connection("ours", {"user:1": 1}) is None


def test_caches_of_another_installation_are_not_read(other):
    with inside(other):
        caches["default"].set("page", "theirs", 60)
        cached_events.put("cache-news", Audience.PUBLIC, "frame", "data")
        assert expiring_values().add("signature", seconds=60)
    assert caches["default"].get("page") is None
    assert cached_events.get("cache-news", Audience.PUBLIC) is None
    assert expiring_values().add("signature", seconds=60)


def test_rate_limits_count_each_installation_alone(other):
    rate = parse("1/minute")
    with inside(other):
        assert [rate_limits.allowed(rate, "casey") for _ in range(2)] == [True, False]
    assert rate_limits.allowed(rate, "casey")


async def test_every_key_and_channel_begins_with_the_prefix(live_cast, other, redis_server, settings):
    agent = await subscribe(live_cast.bao, live_cast.ticket.channel)
    await do(test_caches_of_another_installation_are_not_read, other)
    await do(test_rate_limits_count_each_installation_alone, other)
    client = redis.Redis.from_url(redis_server.url, decode_responses=True)
    # Redis's own clients of the cache and of the limits begin each key with a version and with their name.
    names = [name.removeprefix("LIMITS:") for name in [*client.keys(), *client.pubsub_channels()]]
    prefixes = (settings.REDIS_PREFIX, other.REDIS_PREFIX)
    assert names
    assert [name for name in names if not name.startswith(prefixes)] == []
    await agent.close()


def test_worker_is_not_woken_for_jobs_of_another_installation(redis_server, other):
    server = redis.Redis.from_url(redis_server.url)
    with inside(other):
        wake_up.send()
        theirs = wake_up.key()
    assert wake_up.key() != theirs
    assert server.exists(wake_up.key()) == 0
    wake_up.send()
    assert server.exists(wake_up.key()) == 1
