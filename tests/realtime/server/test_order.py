"""Each socket receives the events of a ticket in the order of the log, also where the layer lost or delayed some."""

from collections.abc import Callable
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from realtime.broadcasting import dispatcher
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, do, subscribe
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)

Channel = Callable[[Cast], str]
CHANNELS: list[Channel] = [
    lambda cast: cast.ticket.channel,
    lambda cast: cast.billing.channel,
    lambda cast: cast.bao.channel,
]


@pytest.fixture(autouse=True)
def _reads_when_woken(settings: Settings) -> None:
    """Have the log tailer read when it is woken only."""
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Have the layer lose a message of an event for each True in this list, in its order."""
    lost, send = list[bool](), dispatcher._send_batches

    async def send_or_lose(messages: list[dispatcher.Message]) -> None:
        if not (lost and lost.pop(0)):
            await send(messages)

    monkeypatch.setattr(dispatcher, "_send_batches", send_or_lose)
    return lost


async def replies(listener: SocketClient, number: int) -> list[str]:
    """Return the messages of the next replies."""
    return [(await listener.event("ticket.reply.created"))["reply"]["message"] for _ in range(number)]


@pytest.mark.parametrize("channel", CHANNELS, ids=["ticket", "office", "user"])
async def test_event_before_the_subscription_arrives_before_newer_ones(live_cast: Cast, channel: Channel) -> None:
    other = await subscribe(live_cast.greta, live_cast.greta.channel)
    await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"assigned_to": live_cast.bao})
    await hub.here().log_tailer.read()
    await do(live_cast.reply, live_cast.dana, "Second")  # this process is in none of the ticket's groups
    bao = await subscribe(live_cast.bao, channel(live_cast))
    await do(live_cast.reply, live_cast.dana, "Third")
    assert await replies(bao, 2) == ["Second", "Third"]
    await do(live_cast.reply, live_cast.dana, "Fourth")
    assert await replies(bao, 1) == ["Fourth"]
    await hub.here().log_tailer.read()
    assert await bao.receives_nothing(channel(live_cast))
    await other.close()


@pytest.mark.parametrize("channel", CHANNELS[:2], ids=["ticket", "office"])
@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_lost_event_is_not_overtaken(live_cast: Cast, losses: list[bool], lost: int, channel: Channel) -> None:
    bao = await subscribe(live_cast.bao, channel(live_cast))
    losses += [True] * lost
    sent = [f"Reply {number}" for number in range(lost + 2)]
    for message in sent:
        await do(live_cast.reply, live_cast.dana, message)
    assert await replies(bao, len(sent)) == sent
    await hub.here().log_tailer.read()
    assert await bao.receives_nothing(channel(live_cast))


async def test_withdrawal_is_not_overtaken_by_a_later_return(live_cast: Cast, losses: list[bool]) -> None:
    dana = await subscribe(live_cast.dana, live_cast.billing.channel)
    losses += [True]
    for office in (live_cast.orders, live_cast.billing):
        await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"office": office})
    names = [await ticket_event(dana) for _ in range(2)]
    assert names == ["ticket.withdrawn", "ticket.updated"]


async def test_withdrawal_before_the_subscription_arrives_after_the_creation(live_cast: Cast) -> None:
    other = await subscribe(live_cast.greta, live_cast.greta.channel)
    ticket = await do(
        services.open_ticket, by=live_cast.casey, subject="New", content="Text", office=live_cast.billing
    )
    dana = await subscribe(live_cast.dana, live_cast.billing.channel)
    await do(services.update_ticket, ticket, by=live_cast.ada, values={"office": live_cast.orders})
    assert [await ticket_event(dana) for _ in range(2)] == ["ticket.created", "ticket.withdrawn"]
    await other.close()


async def ticket_event(listener: SocketClient) -> str:
    """Return the name of the next event of a ticket."""
    while True:
        name: str = (await listener.frame())["event"]
        if name.startswith("ticket."):
            return name


async def test_events_of_other_tickets_do_not_wait(
    live_cast: Cast, losses: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await do(
        services.open_ticket, by=live_cast.casey, subject="Other", content="Text", office=live_cast.billing
    )
    dana = await subscribe(live_cast.dana, live_cast.billing.channel)
    losses += [True]
    await do(live_cast.reply, live_cast.bao, "Lost")
    async with hub.here().log_tailer._reading:
        await do(services.add_reply, other, by=live_cast.bao, message="Elsewhere")
        assert await replies(dana, 1) == ["Elsewhere"]
    await hub.here().log_tailer.read()
    assert await replies(dana, 1) == ["Lost"]


async def test_swapped_messages_arrive_in_order(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    send, kept = InMemoryChannelLayer.group_send, list[tuple[Any, ...]]()

    async def keep(*message: Any) -> None:
        kept.append(message)

    with monkeypatch.context() as slow:
        slow.setattr(InMemoryChannelLayer, "group_send", keep)
        for message in ("First", "Second"):
            await do(live_cast.reply, live_cast.bao, message)
            while message not in str(kept):
                await hub.asyncio.sleep(0)
    for each in sorted(kept, key=lambda message: "First" in str(message)):
        await send(*each)
    assert await replies(casey, 2) == ["First", "Second"]
    await hub.here().log_tailer.read()
    assert await casey.receives_nothing(live_cast.ticket.channel)
