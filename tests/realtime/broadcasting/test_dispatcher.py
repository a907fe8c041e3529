"""Batches of committed events on their way to the channel layer."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from pytest_django import Settings

from realtime.broadcasting import dispatcher
from realtime.broadcasting.channel_layer import ALL_GROUP, REAUTHORIZE_GROUP
from realtime.broadcasting.messages import Ephemeral
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe, until

pytestmark = pytest.mark.django_db(transaction=True)


class SlowLayer:
    """A layer that delivers once `is_open` is set; `sent` holds the group and size of each batch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_open, self.sent = asyncio.Event(), list[tuple[str, int]]()
        send = InMemoryChannelLayer.group_send

        async def wait_and_send(layer: InMemoryChannelLayer, group: str, message: dict[str, Any]) -> None:
            self.sent.append((group, len(message.get("messages", [message]))))
            await self.is_open.wait()
            await send(layer, group, message)

        monkeypatch.setattr(InMemoryChannelLayer, "group_send", wait_and_send)


def message(group: str, frame: str = "") -> Ephemeral:
    """Return a message for a group without subscribers."""
    return Ephemeral(group, frame)


async def test_events_committed_while_the_layer_is_busy_are_batched_by_group(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    bao = await subscribe(live_cast.bao, live_cast.ticket.channel)
    layer, texts = SlowLayer(monkeypatch), ["First", "Second", "Third"]
    for text in texts:
        await do(live_cast.reply, live_cast.bao, text, internal=True)  # notifies no one
        await until(lambda: layer.sent)
    layer.is_open.set()
    assert [(await bao.event("ticket.reply.created"))["reply"]["message"] for _ in texts] == texts
    sizes = Counter(size for _, size in layer.sent)
    groups = len({group for group, _ in layer.sent})
    assert sizes == {1: groups, 2: groups}


async def test_no_event_overtakes_a_revocation_in_a_batch(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribe(live_cast.bao, live_cast.ticket.channel)
    layer, own = SlowLayer(monkeypatch), REAUTHORIZE_GROUP
    layer.is_open.set()
    dispatcher._post([message(group) for group in ("one", "other", "one", own, "one", "one")])
    await until(lambda: len(layer.sent) == 4)
    assert layer.sent == [("one", 2), ("other", 1), (own, 1), ("one", 2)]


async def test_events_for_many_groups_are_one_batch_for_every_process(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    bao, casey = [await subscribe(person, live_cast.ticket.channel) for person in (live_cast.bao, live_cast.casey)]
    layer = SlowLayer(monkeypatch)
    await do(live_cast.reply, live_cast.bao, "First")
    await until(lambda: layer.sent)
    for number in range(dispatcher.MAX_GROUPS):
        dispatcher._post([message(f"other-{number}")])
    await do(live_cast.reply, live_cast.bao, "A note", internal=True)
    await do(live_cast.reply, live_cast.bao, "Last")
    layer.sent.clear()
    layer.is_open.set()
    for listener, texts in ((bao, ["First", "A note", "Last"]), (casey, ["First", "Last"])):
        received = [(await listener.event("ticket.reply.created"))["reply"]["message"] for _ in texts]
        assert received == texts
    assert [group for group, _ in layer.sent][-1] == ALL_GROUP
    assert [group for group, _ in layer.sent].count(ALL_GROUP) == 1


async def test_batch_size_is_limited(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await subscribe(live_cast.bao, live_cast.ticket.channel)
    layer = SlowLayer(monkeypatch)
    layer.is_open.set()
    long = message("long", "x" * (dispatcher.MAX_BATCH_SIZE // 2))
    dispatcher._post([message("one")] * (dispatcher.MAX_BATCH + 1) + [long] * 3)
    await until(lambda: len(layer.sent) == 4)
    assert layer.sent == [("one", dispatcher.MAX_BATCH), ("one", 1), ("long", 2), ("long", 1)]
