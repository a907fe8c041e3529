"""A transaction that stays open, or a restored database, neither repeats events nor resets pages."""

from contextlib import asynccontextmanager
from functools import partial

import pytest
from django.db.models import F

from accounts.models import User
from realtime.broadcasting import event_log, history
from realtime.models import Broadcast, Delivery
from realtime.server import hub
from tests.integration.servers.database.concurrent_transactions import open_transaction
from tests.support.sockets import do, subscribe
from tickets import services

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


LIMIT = 5  # events of one answer of the history


@pytest.fixture
def _short_history(monkeypatch):
    monkeypatch.setattr("realtime.limits.MAX_HISTORY_EVENTS", LIMIT)


@pytest.mark.usefixtures("_short_history")
async def test_history_does_not_reset_during_an_open_transaction(live_cast):
    channels = [live_cast.ticket.channel, live_cast.casey.channel]
    async with long_transaction(live_cast):
        for round_ in range(3):
            for number in range(2 * LIMIT):
                await do(live_cast.reply, live_cast.bao, f"{round_} {number}")
            now = await do(history.current_cursor)
            page = await do(history.read, live_cast.casey, channels, now)
            assert (page.reset, page.events) == (False, [])
            await do(live_cast.reply, live_cast.bao, "News")
            page = await do(history.read, live_cast.casey, channels, page.cursor)
            assert (page.reset, len(page.events)) == (False, 2)  # the reply, and Casey's notification
    page = await do(history.read, live_cast.casey, channels, page.cursor)
    assert (page.reset, page.events) == (False, [])


async def test_event_of_a_long_transaction_is_in_the_history_after_its_commit(live_cast):
    channel = live_cast.ticket.channel
    held = open_transaction(live_cast.reply, live_cast.bao, "Long")
    await do(held.__enter__)
    other = await do(
        partial(services.open_ticket, by=live_cast.casey, subject="B", content="C", office=live_cast.billing)
    )
    cursors = [await do(history.current_cursor)]
    await do(services.add_reply, other, by=live_cast.bao, message="Short")
    cursors.append(await do(history.current_cursor))
    await do(held.__exit__, None, None, None)
    for cursor in cursors:
        found = await do(history.read, live_cast.casey, [channel], cursor)
        assert [event["data"]["reply"]["message"] for event in found.events] == ["Long"]
        assert (await do(history.read, live_cast.casey, [channel], found.cursor)).events == []


@pytest.mark.parametrize("reason", ["invalidated", "pruned"])
async def test_history_resets_once_for_one_reason(live_cast, reason):
    channel = live_cast.ticket.channel
    async with long_transaction(live_cast):
        before = await do(history.current_cursor)
        await do(live_cast.reply, live_cast.bao, "Old")
        if reason == "invalidated":
            await do(event_log.invalidate_history)
        else:
            await do(Broadcast.objects.update, created_at="2020-01-01T00:00Z")
            await do(event_log.prune, 1)
        page = await do(history.read, live_cast.casey, [channel], before)
        assert (page.reset, page.events) == (True, [])
        for cursor in (page.cursor, await do(history.current_cursor)):
            assert not (await do(history.read, live_cast.casey, [channel], cursor)).reset
        await do(live_cast.reply, live_cast.bao, "New")
        found = await do(history.read, live_cast.casey, [channel], page.cursor)
        assert (found.reset, len(found.events)) == (False, 1)


async def test_tailer_reads_each_row_once_during_an_open_transaction(live_cast, monkeypatch):
    await subscribe(live_cast.greta, live_cast.greta.channel)
    tailer, read, rows = hub.here().log_tailer, event_log.read_since, []

    def count(snapshot):
        found = read(snapshot)
        rows.append(len(found[1]))
        return found

    monkeypatch.setattr(event_log, "read_since", count)
    async with long_transaction(live_cast):
        await tailer.read()
        for number in range(20):
            await do(live_cast.reply, live_cast.bao, f"{number}")
        for _ in range(5):
            await tailer.read()
        written = await do(Delivery.objects.filter(broadcast__event=REPLY).count)
    assert sum(rows) <= 2 * written
    assert rows[-3:] == [0, 0, 0]
