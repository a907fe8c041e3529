"""Graceful shutdown of a process: its clients reconnect to other processes, spread over time, and miss nothing."""

import asyncio

import pytest

from realtime.presence import tracker
from realtime.presence.store import presence_store
from realtime.serve.drain import drain
from realtime.server import hub
from tests.support.sockets import connect, do, open_socket, subscribe, until

RECONNECT = 4200


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch):
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0.5)


async def test_sockets_are_closed_at_different_times_and_get_events_until_then(live_cast):
    clients = [await subscribe(live_cast.bao, live_cast.ticket.channel) for _ in range(12)]
    leaving = asyncio.create_task(drain(hub.here(), 1))
    await until(lambda: len(hub.here().sockets) < len(clients))
    remaining = len(hub.here().sockets)
    assert remaining
    await do(live_cast.reply, live_cast.bao, "While you wait")
    frames = await asyncio.gather(*(frames_until_closed(each) for each in clients))
    await leaving
    assert {frame["code"] for *_, frame in frames} == {RECONNECT}
    received = sum("ticket.reply.created" in [frame["event"] for frame in each] for each in frames)
    assert 0 < received <= remaining


async def test_socket_that_connects_during_the_drain_is_closed_too(live_cast):
    first = await connect(live_cast.bao)
    leaving = asyncio.create_task(drain(hub.here(), 0.5))
    await asyncio.sleep(0)
    newcomer = await open_socket(live_cast.dana)
    assert (await frames_until_closed(newcomer))[-1]["code"] == RECONNECT
    assert (await frames_until_closed(first))[-1]["code"] == RECONNECT
    await leaving


async def test_presence_entries_stay_until_users_could_reconnect_and_then_go(live_cast):
    room = live_cast.ticket.presence_channel
    await subscribe(live_cast.bao, room)
    bao = str(live_cast.bao.pk)
    assert bao in (await do(presence_store().occupancy, [room]))[room].members
    leaving = asyncio.create_task(drain(hub.here(), 0))
    await until(lambda: not hub.here().sockets)
    assert bao in (await do(presence_store().occupancy, [room]))[room].members
    await leaving
    assert not (await do(presence_store().occupancy, [room]))[room].members


async def frames_until_closed(client):
    frames = [await client.frame()]
    while frames[-1]["event"] != "closed":
        frames.append(await client.frame())
    return frames
