"""Whatever Redis does, pages, API and sockets work, nothing is lost, and the log stays short."""

import asyncio

import pytest
from django.core.cache import cache
from django.test import Client

from realtime.presence.redis_store import RedisPresenceStore
from realtime.utils import circuit_breaker
from realtime.utils.circuit_breaker import ServiceUnavailable, redis_breaker
from tests.integration.servers.redis.states import STATES, failing
from tests.support.api_client import ApiClient
from tests.support.cast import PASSWORD
from tests.support.servers.instances import wait_until
from tests.support.sockets import connect, do, subscribe
from tickets.models import Reply

REPLY = "ticket.reply.created"
MAX_LINES = 20  # log lines of all parts together, for some hundred operations

every_state = pytest.mark.parametrize("state", STATES)


@pytest.fixture(autouse=True)
def _closed_circuit():
    redis_breaker.reset()
    yield
    redis_breaker.reset()


def use_the_desk(cast, number):
    """Sign in, read and write by page and API."""
    page, program = Client(), ApiClient(cast.casey)
    assert page.post("/login/", {"login": cast.bao.email, "password": PASSWORD}).status_code == 302
    assert page.get("/tickets/").status_code == 200
    assert page.get(cast.ticket.get_absolute_url()).status_code == 200
    sent = page.post(f"/tickets/{cast.ticket.uuid}/replies/", {"message": f"Page {number}"})
    assert sent.status_code == 302
    assert program.post(f"tickets/{cast.ticket.uuid}/replies/", {"message": f"API {number}"}).status_code == 201
    assert program.get("tickets/", q="Charged").status_code == 200
    answer = page.get("/broadcasting/history", {"channel": cast.bao.channel})
    assert (answer.status_code, answer.json()["reset"]) == (200, False)


@every_state
def test_pages_and_api_work_and_lose_nothing(live_cast, redis_server, caplog, state):
    with failing(redis_server, state):
        for number in range(3):
            use_the_desk(live_cast, number)
    assert Reply.objects.count() == 6
    assert len(caplog.records) <= MAX_LINES, [record.getMessage() for record in caplog.records]
    assert not [record for record in caplog.records if record.exc_info]
    wait_until(lambda: _is_back(live_cast), timeout=20, message="Redis is not used again.")
    use_the_desk(live_cast, 3)


def _is_back(cast):
    """Return whether the cache is in Redis again, and holds no lock from a command that was not answered."""
    cache.set("recovered", 1)
    in_redis = cache._cache.get_client().get(cache.make_key("recovered")) is not None
    return in_redis and Client().post("/login/", {"login": cast.bao.email, "password": PASSWORD}).status_code == 302


@every_state
async def test_sockets_receive_each_event_once_and_see_who_is_there(live_cast, redis_server, caplog, state):
    ticket = live_cast.ticket
    before = await subscribe(live_cast.casey, ticket.channel)
    with failing(redis_server, state):
        during = await subscribe(live_cast.dana, ticket.channel)
        present = await connect(live_cast.bao)
        answer = await present.subscribe(f"presence-tickets.{ticket.uuid}")
        assert answer["event"] == "pusher_internal:subscription_succeeded"
        assert str(live_cast.bao.pk) in answer["data"]["presence"]["ids"]
        for number in range(3):
            await do(live_cast.reply, live_cast.bao, f"Reply {number}")
        for listener in (before, during):
            assert [(await listener.event(REPLY))["reply"]["message"] for _ in range(3)] == [
                f"Reply {number}" for number in range(3)
            ]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) <= MAX_LINES, lines
    for listener in (before, during):
        assert await listener.receives_nothing(ticket.channel)
    await asyncio.gather(*(listener.close() for listener in (before, during, present)))


@every_state
def test_wrong_passwords_are_counted(live_cast, redis_server, monkeypatch, state):
    """Also where Redis still answers reads: it would know of no attempt that it could not write."""
    if state != "hanging":  # where each call would wait
        monkeypatch.setattr(circuit_breaker, "RETRY_INTERVAL", 0)
    with failing(redis_server, state):
        for _ in range(5):
            Client().post("/login/", {"login": live_cast.bao.email, "password": "guess"})
        answer = Client().post("/login/", {"login": live_cast.bao.email, "password": PASSWORD})
        assert answer.status_code in (200, 429), "The right password after five wrong ones signs in."
        assert "Too many" in answer.text


@every_state
def test_cache_returns_what_was_written(live_cast, redis_server, monkeypatch, state):
    monkeypatch.setattr(circuit_breaker, "RETRY_INTERVAL", 0)
    cache.set("key", "before")
    with failing(redis_server, state):
        cache.set("key", "during", 60)
        assert cache.get("key") == "during"
        assert cache.add("key", "again", 60) is False


@pytest.mark.parametrize("state", ["full", "a read-only replica"])
def test_presence_store_that_accepts_no_writes_is_unavailable(redis_server, state):
    """Its entries would expire one after another, and the HTTP API would say that no user is there."""
    with failing(redis_server, state):
        store = RedisPresenceStore()
        for ask in (lambda: store.occupancy(["presence-a"]), store.occupied, store.channel_names, store.processes):
            with pytest.raises(ServiceUnavailable):
                ask()
