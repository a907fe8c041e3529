"""How committed events are handed to the channel layer."""

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
from tests.support.sockets import do, listen, until

pytestmark = pytest.mark.django_db(transaction=True)


class SlowLayer:
    """A layer that passes a message on only once `is_open` is set, and remembers what it was asked to send."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_open, self.asked = asyncio.Event(), list[tuple[str, int]]()
        send = InMemoryChannelLayer.group_send

        async def wait_and_send(layer: InMemoryChannelLayer, group: str, message: dict[str, Any]) -> None:
            self.asked.append((group, len(message.get("messages", [message]))))
            await self.is_open.wait()
            await send(layer, group, message)

        monkeypatch.setattr(InMemoryChannelLayer, "group_send", wait_and_send)


def message(group: str, frame: str = "") -> Ephemeral:
    """Return a message for a group without subscribers."""
    return Ephemeral(group, frame)


async def test_what_is_committed_while_the_layer_is_busy_travels_as_one_bundle_for_each_group(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    bao = await listen(live_cast.bao, live_cast.ticket.channel)
    layer, told = SlowLayer(monkeypatch), ["First", "Second", "Third"]
    for text in told:
        await do(live_cast.reply, live_cast.bao, text)
        await until(lambda: layer.asked)
    layer.is_open.set()
    assert [(await bao.event("ticket.reply.created"))["reply"]["message"] for _ in told] == told
    sizes = Counter(size for _, size in layer.asked)
    groups = len({group for group, _ in layer.asked})
    assert sizes == {1: groups, 2: groups}


async def test_no_event_overtakes_a_revocation_in_a_bundle(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await listen(live_cast.bao, live_cast.ticket.channel)
    layer, recheck = SlowLayer(monkeypatch), REAUTHORIZE_GROUP
    layer.is_open.set()
    dispatcher._post([message(group) for group in ("one", "other", "one", recheck, "one", "one")])
    await until(lambda: len(layer.asked) == 4)
    assert layer.asked == [("one", 2), ("other", 1), (recheck, 1), ("one", 2)]


async def test_what_is_for_many_groups_travels_as_one_bundle_to_every_process(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    bao, casey = [await listen(person, live_cast.ticket.channel) for person in (live_cast.bao, live_cast.casey)]
    layer = SlowLayer(monkeypatch)
    await do(live_cast.reply, live_cast.bao, "First")
    await until(lambda: layer.asked)
    for number in range(dispatcher.MAX_GROUPS):
        dispatcher._post([message(f"other-{number}")])
    await do(live_cast.reply, live_cast.bao, "A note", internal=True)
    await do(live_cast.reply, live_cast.bao, "Last")
    layer.asked.clear()
    layer.is_open.set()
    for listener, told in ((bao, ["First", "A note", "Last"]), (casey, ["First", "Last"])):
        heard = [(await listener.event("ticket.reply.created"))["reply"]["message"] for _ in told]
        assert heard == told
    assert [group for group, _ in layer.asked][-1] == ALL_GROUP
    assert [group for group, _ in layer.asked].count(ALL_GROUP) == 1


async def test_a_bundle_has_an_end(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    await listen(live_cast.bao, live_cast.ticket.channel)
    layer = SlowLayer(monkeypatch)
    layer.is_open.set()
    long = message("long", "x" * (dispatcher.MAX_BATCH_SIZE // 2))
    dispatcher._post([message("one")] * (dispatcher.MAX_BATCH + 1) + [long] * 3)
    await until(lambda: len(layer.asked) == 4)
    assert layer.asked == [("one", dispatcher.MAX_BATCH), ("one", 1), ("long", 2), ("long", 1)]
