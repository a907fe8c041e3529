"""No event overtakes a revocation, though the layer lost it and other revocations came after it."""

import asyncio

import pytest

from realtime.broadcasting.channel_layer import default_layer
from tests.integration.servers.database.concurrent_transactions import open_transaction
from tests.support.servers.instances import wait_until
from tests.support.sockets import do, subscribe

REPLY = "ticket.reply.created"


@pytest.fixture(autouse=True)
def _rare_tail(settings):
    """Let the log tailer read on request only."""
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}


async def lose_messages(monkeypatch, act, *args):
    """Do something of which the layer loses every message."""
    lost = []

    async def lose(group, message):
        lost.append(message)

    with monkeypatch.context() as patch:
        patch.setattr(default_layer(), "group_send", lose)
        await do(act, *args)
        await asyncio.to_thread(wait_until, lambda: lost, timeout=60, message="Nothing was sent.")


async def note_is_for_dana_alone(cast, dana, bao):
    """Assert that Dana receives a note, and that Bao, who has left Billing, is notified of that first."""
    await do(cast.reply, cast.dana, "Note", internal=True)
    assert (await dana.event(REPLY))["reply"]["message"] == "Note"
    assert (await bao.frame())["event"] == "pusher:subscription_error"


async def test_lost_revocation_is_not_hidden_by_a_later_delivered_one(live_cast, monkeypatch):
    dana, bao = [await subscribe(person, live_cast.ticket.channel) for person in (live_cast.dana, live_cast.bao)]
    await lose_messages(monkeypatch, live_cast.billing.agents.remove, live_cast.bao)
    await do(live_cast.orders.agents.remove, live_cast.emil)
    await note_is_for_dana_alone(live_cast, dana, bao)


async def test_lost_revocation_is_not_hidden_by_one_that_committed_earlier(live_cast, monkeypatch):
    dana, bao = [await subscribe(person, live_cast.ticket.channel) for person in (live_cast.dana, live_cast.bao)]
    early = open_transaction(live_cast.billing.agents.remove, live_cast.bao)
    await do(early.__enter__)
    try:
        await do(live_cast.orders.agents.remove, live_cast.emil)
        await do(live_cast.reply, live_cast.casey, "Hello?")
        for listener in (dana, bao):
            assert (await listener.event(REPLY))["reply"]["message"] == "Hello?"
    finally:
        await lose_messages(monkeypatch, early.__exit__, None, None, None)
    await note_is_for_dana_alone(live_cast, dana, bao)


async def test_lost_revocation_is_applied_before_later_events(live_cast, monkeypatch):
    dana, bao = [await subscribe(person, live_cast.ticket.channel) for person in (live_cast.dana, live_cast.bao)]
    await lose_messages(monkeypatch, live_cast.billing.agents.remove, live_cast.bao)
    await note_is_for_dana_alone(live_cast, dana, bao)
