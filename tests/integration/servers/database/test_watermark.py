"""Events committed before a connect are not delivered to it, for any transaction ids."""

from contextlib import asynccontextmanager

import pytest
from django.db.models import F

from accounts.models import User
from realtime.broadcasting import history
from realtime.models import Delivery
from realtime.server import hub
from tests.integration.servers.database.concurrent_transactions import open_transaction
from tests.support.sockets import do, subscribe

REPLY = "ticket.reply.created"


@asynccontextmanager
async def long_transaction(cast):
    """Keep a transaction open that has nothing to do with the ticket."""
    busy = open_transaction(User.objects.filter(pk=cast.greta.pk).update, name="Greta L.")
    await do(busy.__enter__)
    try:
        yield
    finally:
        await do(busy.__exit__, None, None, None)


@pytest.fixture
def restored_cast(live_cast):
    """The cast in a restored dump, whose log has the transaction ids of another cluster."""
    live_cast.reply(live_cast.bao, "Old news")
    Delivery.objects.update(position=F("position") + 10**9)
    return live_cast


async def test_new_subscriber_gets_no_old_event_during_an_open_transaction(live_cast):
    async with long_transaction(live_cast):
        first = await subscribe(live_cast.casey, live_cast.casey.channel)
        await do(live_cast.reply, live_cast.bao, "Old news")
        assert (await first.event(REPLY))["reply"]["message"] == "Old news"
        await hub.here().log_tailer.read()
        newcomer = await subscribe(live_cast.casey, live_cast.ticket.channel)
        await hub.here().log_tailer.read()
        assert await newcomer.receives_nothing(live_cast.ticket.channel)


async def test_new_subscriber_gets_no_old_event_of_a_restored_database(restored_cast):
    casey = await subscribe(restored_cast.casey, restored_cast.ticket.channel)
    await hub.here().log_tailer.read()
    assert await casey.receives_nothing(restored_cast.ticket.channel)


def test_page_of_a_restored_database_gets_exactly_what_it_missed(restored_cast):
    cursor = history.current_cursor()
    restored_cast.reply(restored_cast.bao, "News")
    answer = history.read(restored_cast.casey, [restored_cast.ticket.channel], cursor)
    assert [event["data"]["reply"]["message"] for event in answer.events if event["event"] == REPLY] == ["News"]
