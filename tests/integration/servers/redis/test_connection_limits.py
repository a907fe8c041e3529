"""Test that connections of a user and of an address are counted across live processes."""

import asyncio
import time

import pytest
import redis
from django.conf import settings

from realtime import limits
from realtime.presence.store import ProcessReport, SyncRequest, presence_store
from realtime.server import hub
from realtime.server.connection_limits import limit_keys
from realtime.utils import circuit_breaker
from tests.support.servers.instances import wait_until
from tests.support.sockets import connect, do, open_socket, until

OFFICE = "203.0.113.7"


@pytest.fixture(autouse=True)
def _empty_store(redis_server):
    redis.Redis.from_url(redis_server.url).flushdb()


def say(process, crowd):
    report = ProcessReport(process, 0.0, 0, 0, 0, 0.0, 0.0)
    return presence_store().sync(SyncRequest(process, report=report, connection_counts=crowd))


def admit(process, limits):
    return presence_store().admit_connection(process, limits)


def test_connections_are_counted_across_processes():
    for process in ("one", "two"):
        say(process, {})
    assert [admit(name, {"casey": 3, "office": 9}) for name in ("one", "two", "one", "two")] == [
        None,
        None,
        None,
        "casey",
    ]
    assert admit("two", {"greta": 3, "office": 4}) is None, "Who is refused is not counted."
    assert admit("two", {"bao": 3, "office": 4}) == "office"


def test_reported_counts_replace_admitted_ones():
    for process in ("one", "two"):
        say(process, {"casey": 3})
    assert admit("one", {"casey": 6}) == "casey"
    say("two", {"casey": 0})
    assert [admit("one", {"casey": 5}) for _ in range(3)] == [None, None, "casey"]


def test_counts_of_a_dead_process_expire(monkeypatch):
    monkeypatch.setattr(settings, "REALTIME", {**settings.REALTIME, "LEASE": 0.4})
    say("killed", {"casey": 5})
    assert admit("other", {"casey": 5}) == "casey"
    wait_until(lambda: admit("other", {"casey": 5}) is None, timeout=60, message="The dead are counted.")
    presence_store().remove_process("other")
    assert not redis.Redis.from_url(settings.REALTIME["REDIS_URL"]).keys("*crowd*")


async def refusal_of(user, **options):
    """Return why a connection is refused that waits in vain."""
    listener = await open_socket(user, **options)
    error = await listener.event("pusher:error")
    assert (await listener.frame())["code"] == error["code"]
    return error["code"], error["message"]


async def test_user_over_the_limit_elsewhere_is_refused_here(live_cast, monkeypatch):
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    await do(say, "other", limit_keys(str(live_cast.bao.pk), ""))
    assert await refusal_of(live_cast.bao) == (4101, "Too many connections for this user.")
    dana = await connect(live_cast.dana)
    await dana.close()


async def test_address_over_the_limit_elsewhere_is_refused_here(live_cast, monkeypatch):
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_ADDRESS", 3)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    await do(say, "other", {f"address:{OFFICE}": 2})
    inside = await connect(live_cast.bao, address=OFFICE)
    assert await refusal_of(live_cast.dana, address=OFFICE) == (4100, "Too many connections from this address.")
    outside = await connect(live_cast.dana, address="203.0.113.8")
    for listener in (inside, outside):
        await listener.close()


async def counts_are_shared():
    """Have this process sync with the presence store now."""
    hub.here().presence._synced_at = 0.0
    await hub.here().presence._next_sync()


async def test_closed_connection_is_released_on_every_process(live_cast):
    bao, counted = await connect(live_cast.bao), {f"user:{live_cast.bao.pk}": 1}
    await counts_are_shared()
    assert await do(admit, "other", counted)
    await bao.close()
    await counts_are_shared()
    assert await do(admit, "other", counted) is None


async def test_closed_connections_are_reported_before_the_next_report_is_due(live_cast):
    """Without subscriptions too: nothing else changes in the presence store."""
    bao, counted = await connect(live_cast.bao), {f"user:{live_cast.bao.pk}": 1}
    await counts_are_shared()
    reported_at = hub.here().presence._synced_at
    await bao.close()
    await hub.here().presence._next_sync()
    assert hub.here().presence._synced_at == reported_at
    assert await do(admit, "other", counted) is None


async def test_connections_wait_for_as_many_that_close_elsewhere(live_cast, monkeypatch):
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", (0.05,) * 1000)
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 6)
    counted = {f"user:{live_cast.bao.pk}": 4}
    await do(say, "other", counted)
    opening = [asyncio.create_task(connect(live_cast.bao)) for _ in range(4)]
    await until(lambda: hub.here().connection_limits.waiting == 2)
    await do(say, "other", dict.fromkeys(counted, 0))
    listeners = await asyncio.gather(*opening)
    assert len({listener.socket_id for listener in listeners}) == 4
    for listener in listeners:
        await listener.close()


async def test_user_closes_sixty_connections_and_opens_sixty(live_cast):
    """All at once, as a browser with many tabs does when it is restored: closed ones no longer count, here or in
    Redis."""
    before = await asyncio.gather(*(connect(live_cast.bao) for _ in range(60)))
    await counts_are_shared()
    closing = [asyncio.create_task(listener.close()) for listener in before]
    after = await asyncio.gather(*(connect(live_cast.bao) for _ in range(60)))
    assert len({listener.socket_id for listener in (*before, *after)}) == 120
    assert await do(admit, "other", {f"user:{live_cast.bao.pk}": 61}) is None
    await asyncio.gather(*closing, *(listener.close() for listener in after))


async def test_emptied_store_receives_all_counts_again(live_cast, redis_server):
    bao = await connect(live_cast.bao)
    await counts_are_shared()
    await do(redis.Redis.from_url(redis_server.url).flushdb)
    for _ in range(2):
        await counts_are_shared()
    assert await do(admit, "other", {f"user:{live_cast.bao.pk}": 1})
    await bao.close()


async def test_hanging_redis_delays_one_connection_and_refuses_none(live_cast, redis_server):
    begun = time.monotonic()
    listeners = [await connect(live_cast.bao)]
    usual = time.monotonic() - begun
    with redis_server.hanging():
        begun = time.monotonic()
        for person in (live_cast.bao, live_cast.dana, live_cast.casey, live_cast.greta, live_cast.emil):
            listeners.append(await connect(person))
        assert time.monotonic() - begun < 3 * circuit_breaker.TIMEOUT + 10 * usual
    for listener in listeners:
        await listener.close()
