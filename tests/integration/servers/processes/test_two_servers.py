"""Two server processes of one site: events reach the sockets of both, with Redis and without."""

import time
from functools import partial
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import redis
from django.core.cache import cache

from realtime.broadcasting.ephemeral import broadcast_now
from tests.support.clients.page_client import PageClient
from tests.support.servers import instances
from tests.support.servers.http_client import CSRF, HttpClient
from tests.support.servers.instances import wait_until

LONG_REDIS_TIMEOUT = "tests.integration.servers.processes.long_redis_timeout_settings"


@pytest.fixture(scope="module")
def servers(environment):
    serve = partial(
        instances.server,
        "uvicorn",
        database_url=environment["DATABASE_URL"],
        redis_url=environment["REDIS_URL"],
        env={
            "SECRET_KEY": environment["SECRET_KEY"],
            "REDIS_PREFIX": environment["REDIS_PREFIX"],
            "DJANGO_SETTINGS_MODULE": LONG_REDIS_TIMEOUT,
        },
    )
    with serve() as one, serve() as other:
        yield one, other


@pytest.fixture
def people(live_cast, servers):
    """Casey at one server and Bao at the other, both on Casey's ticket."""
    casey, bao = PageClient(live_cast.casey, servers[0]), PageClient(live_cast.bao, servers[1])
    with casey.subscribed(live_cast.ticket.channel), bao.subscribed(live_cast.ticket.channel):
        yield casey, bao


def converse(casey, bao, ticket, *, within):
    bao.visitor.reply(ticket.uuid, "Which charge?")
    casey.receives("Which charge?", within=within)
    bao.receives("Which charge?", within=within)
    casey.visitor.reply(ticket.uuid, "The second one")
    bao.receives("The second one", within=within)
    casey.receives("The second one", within=within)


def test_users_on_two_servers_receive_events_with_and_without_redis(live_cast, people, redis_server):
    begun = time.monotonic()
    for _ in range(2):
        converse(*people, live_cast.ticket, within=1)
    assert time.monotonic() - begun < 2, "Delivered by the log tailer, which reads once a second, and not by Redis."
    redis_server.kill()
    converse(*people, live_cast.ticket, within=2)
    redis_server.start()
    converse(*people, live_cast.ticket, within=2)


@pytest.mark.parametrize("redis_is", ["up", "down"])
def test_agent_who_loses_a_ticket_is_unsubscribed_on_the_other_server(
    live_cast, servers, people, redis_server, redis_is
):
    casey, bao = people
    ticket, ada, colleague = live_cast.ticket, *(PageClient(live_cast.ada, server) for server in servers)
    with colleague.subscribed(ticket.channel):
        if redis_is == "down":
            redis_server.kill()
        ada.visitor.post(f"/tickets/{ticket.uuid}/change/", office=live_cast.orders.pk)
        assert bao.event("pusher:subscription_error", within=2 if redis_is == "down" else 1)["status"] == 403
        bao.received.clear()
        ada.visitor.reply(ticket.uuid, "Orders will look into it", internal="on")
        ada.visitor.reply(ticket.uuid, "We are looking into it")
        casey.receives("We are looking into it", within=2)
        # Another socket at Bao's server has received all events: Bao will receive no more.
        colleague.receives("Orders will look into it", within=2)
        colleague.receives("We are looking into it", within=2)
    bao.socket.send('{"event": "pusher:ping", "data": {}}')
    bao.event("pusher:pong", within=2)
    assert bao.received == ["pusher:pong"]


def sign_up(server, number):
    """Try to sign up, from another address if the header were believed; return the status."""
    visitor = HttpClient(server.url, "sessionid=none")
    headers = {"Cookie": visitor.cookies, "X-CSRFToken": CSRF, "X-Forwarded-For": f"198.51.100.{number}"}
    try:
        with urlopen(Request(f"{server.url}/register/", b"email=", headers), timeout=60) as answer:
            return answer.status
    except HTTPError as refusal:
        refusal.close()
        return refusal.code


def counts_in_redis(server, redis_server):
    """Return whether a server has noticed that Redis is back: earlier tests stop it."""
    cache.clear()
    sign_up(server, 0)
    with redis.Redis.from_url(redis_server.url) as client:
        return client.keys("*signup*")


def test_two_servers_count_sign_ups_together_by_client_address(servers, redis_server):
    for server in servers:
        wait_until(partial(counts_in_redis, server, redis_server), timeout=60, message="Redis is not used again.")
    cache.clear()
    answers = []
    while 429 not in answers and len(answers) < 40:
        answers.append(sign_up(servers[len(answers) % 2], len(answers)))
    assert answers.index(429) == 20
    assert sign_up(servers[len(answers) % 2], len(answers)) == 429


def test_ephemeral_event_reaches_both_servers(live_cast, people):
    casey, bao = people
    broadcast_now([live_cast.ticket.channel], "parcel.arrived", '{"at": "the desk"}')
    for person in (casey, bao):
        assert person.event("parcel.arrived", within=2) == {"at": "the desk"}
