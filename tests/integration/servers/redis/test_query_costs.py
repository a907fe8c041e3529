"""What a subscription and an event cost Redis and PostgreSQL: counted, not timed."""

import asyncio
from collections import Counter

import pytest
import redis
from django.db.backends.utils import CursorWrapper

from realtime.channels import Audience
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.servers.instances import RedisServer
from tests.support.sockets import connect, do, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


class Commands:
    """Counts the Redis commands since its creation, without periodic ones."""

    ASKED = ("subscribe", "publish")

    def __init__(self, server: RedisServer) -> None:
        self._client = redis.Redis.from_url(server.url)
        self._before = self._counted()

    def since(self) -> dict[str, int]:
        """Return the numbers since the last time."""
        before, self._before = self._before, self._counted()
        return dict(self._before - before)

    def _counted(self) -> Counter[str]:
        found = self._client.info("commandstats")
        return Counter({name: found.get(f"cmdstat_{name}", {}).get("calls", 0) for name in self.ASKED})


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the reads of the tables for authentication and authorization."""
    execute, counted = CursorWrapper.execute, Counter[str]()

    def count(self: CursorWrapper, sql: str, params: object = None) -> object:
        for table in ("django_session", "accounts_user", "tickets_ticket"):
            if f'FROM "{table}"' in sql:
                counted[table] += 1
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", count)
    return counted


async def test_second_subscriber_of_a_process_costs_no_redis_command(
    live_cast: Cast, redis_server: RedisServer
) -> None:
    bao, dana = await connect(live_cast.bao), await connect(live_cast.dana)
    commands = Commands(redis_server)
    await bao.subscribe(live_cast.ticket.channel)
    assert commands.since() == {"subscribe": 1, "publish": 1}  # the barrier
    await dana.subscribe(live_cast.ticket.channel)
    assert commands.since() == {}


async def test_concurrent_joins_share_one_barrier(live_cast: Cast, redis_server: RedisServer) -> None:
    await connect(live_cast.bao)
    commands, here = Commands(redis_server), hub.here()
    await asyncio.gather(*(here.prepare({channel: Audience.STAFF}) for channel in ("private-a", "private-b")))
    await here.prepare({"private-a": Audience.STAFF})
    assert commands.since() == {"subscribe": 2, "publish": 1}


async def test_event_is_published_once_for_each_channel_and_audience(
    live_cast: Cast, redis_server: RedisServer
) -> None:
    listeners = [await subscribe(live_cast.bao, live_cast.ticket.channel) for _ in range(3)]
    commands = Commands(redis_server)
    await do(live_cast.reply, live_cast.bao, "Hello", internal=True)
    for listener in listeners:
        await listener.event("ticket.reply.created")
    assert commands.since() == {"publish": 2}  # to the staff of the ticket, and of its office


async def test_new_connection_reads_its_user_once(live_cast: Cast, queries: Counter[str]) -> None:
    bao = await connect(live_cast.bao)
    assert queries["accounts_user"]
    queries.clear()
    for channel in (live_cast.ticket.channel, live_cast.ticket.presence_channel, live_cast.bao.channel):
        assert (await bao.subscribe(channel))["event"].endswith("succeeded")
    assert queries == {"tickets_ticket": 2}  # the rules of two of them; the third is the user's own
