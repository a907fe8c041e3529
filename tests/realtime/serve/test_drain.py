"""Who is connected to a process that ends is sent to the others, not all in one moment, and misses nothing."""

import asyncio

import pytest

from realtime.presence import tracker
from realtime.presence.store import presence_store
from realtime.serve.drain import drain
from realtime.server import hub
from tests.support.sockets import connect, do, open_socket, subscribe, until

SENT_AWAY = 4200


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch):
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0.5)


async def test_people_are_sent_away_at_different_moments_and_told_until_then(live_cast):
    listeners = [await subscribe(live_cast.bao, live_cast.ticket.channel) for _ in range(12)]
    leaving = asyncio.create_task(drain(hub.here(), 1))
    await until(lambda: len(hub.here().sockets) < len(listeners))
    remaining = len(hub.here().sockets)
    assert remaining
    await do(live_cast.reply, live_cast.bao, "While you wait")
    frames = await asyncio.gather(*(frames_until_closed(each) for each in listeners))
    await leaving
    assert {frame["code"] for *_, frame in frames} == {SENT_AWAY}
    told = sum("ticket.reply.created" in [frame["event"] for frame in heard] for heard in frames)
    assert 0 < told <= remaining


async def test_who_comes_while_a_process_ends_is_sent_on(live_cast):
    first = await connect(live_cast.bao)
    leaving = asyncio.create_task(drain(hub.here(), 0.5))
    await asyncio.sleep(0)
    newcomer = await open_socket(live_cast.dana)
    assert (await frames_until_closed(newcomer))[-1]["code"] == SENT_AWAY
    assert (await frames_until_closed(first))[-1]["code"] == SENT_AWAY
    await leaving


async def test_a_process_that_ended_leaves_nobody_behind_in_the_census(live_cast):
    room = live_cast.ticket.presence_channel
    await subscribe(live_cast.bao, room)
    bao = str(live_cast.bao.pk)
    assert bao in (await do(presence_store().occupancy, [room]))[room].members
    leaving = asyncio.create_task(drain(hub.here(), 0))
    await until(lambda: not hub.here().sockets)
    # He has a moment to come back elsewhere before others see him go.
    assert bao in (await do(presence_store().occupancy, [room]))[room].members
    await leaving
    assert not (await do(presence_store().occupancy, [room]))[room].members


async def frames_until_closed(listener):
    frames = [await listener.frame()]
    while frames[-1]["event"] != "closed":
        frames.append(await listener.frame())
    return frames
