"""What happens while something else happens: a right ends while one enters, a client leaves while it is asked for."""

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from realtime import limits
from realtime.broadcasting.ephemeral import broadcast_now, disconnect
from realtime.broadcasting.publish import publish, reauthorize
from realtime.consumers import PusherConsumer
from realtime.presence.tracker import PresenceTracker
from realtime.protocol import close_codes
from realtime.server import cache_channels, hub
from realtime.server.group_membership import GroupMembership
from realtime.server.query_batcher import QueryBatcher
from realtime.server.revalidation import Revalidation
from realtime.server.subscriptions import Subscription
from tests.support.cast import Cast
from tests.support.clients.signed_clients import REFUSED, SUCCEEDED, answers
from tests.support.sockets import Barrier, SocketClient, connect, do, open_socket, subscribe, until

pytestmark = pytest.mark.django_db(transaction=True)
Happening = Callable[[], Awaitable[None]]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Happening], None]:
    """Have something happen between a presence channel's answer and the moment at which it is listened to."""

    def plan(happening: Happening) -> None:
        next_round, left = PresenceTracker._next_sync, [happening]

        async def wait_longer(self: PresenceTracker) -> None:
            await next_round(self)
            if left:
                await left.pop()()

        monkeypatch.setattr(PresenceTracker, "_next_sync", wait_longer)

    return plan


def socket_of(listener: SocketClient) -> Any:
    """Return the server's side of a connection."""
    return next(socket for socket in hub.here().sockets if socket.socket_id == listener.socket_id)


async def test_revocation_while_joining_presence_ends_member_events(
    live_cast: Cast, meanwhile: Callable[[Happening], None]
) -> None:
    room = live_cast.ticket.presence_channel
    control = await subscribe(live_cast.dana, room)
    bao = await connect(live_cast.bao)
    served = socket_of(bao)

    async def leave_office() -> None:
        await do(live_cast.billing.agents.remove, live_cast.bao)
        await until(lambda: room not in served.subscriptions and not served.revalidation.is_busy)

    meanwhile(leave_office)
    assert (await bao.subscribe(room))["event"] == REFUSED
    _ada = await subscribe(live_cast.ada, room)
    while (await control.event("pusher_internal:member_added"))["user_id"] != str(live_cast.ada.pk):
        pass
    assert await answers(bao) == []
    assert served not in hub.here().presence._channels[room].subscribers


async def test_members_are_not_sent_during_revalidation(
    live_cast: Cast, meanwhile: Callable[[Happening], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    room, answered = live_cast.ticket.presence_channel, asyncio.Event()
    bao, ask = await connect(live_cast.bao), PusherConsumer.authorize
    served = socket_of(bao)

    async def ask_slowly(self: PusherConsumer, channel: str) -> Any:
        await answered.wait()
        return await ask(self, channel)

    async def begin_to_ask() -> None:
        monkeypatch.setattr(PusherConsumer, "authorize", ask_slowly)
        await do(reauthorize, channels=[room])
        await until(lambda: served.revalidation.is_running)

    meanwhile(begin_to_ask)
    await bao.send("pusher:subscribe", channel=room, auth="")
    assert await answers(bao) == []
    answered.set()
    assert (await bao.event(SUCCEEDED))["presence"]["count"] == 1


async def test_socket_disconnected_while_joining_is_not_kept(
    live_cast: Cast, meanwhile: Callable[[Happening], None]
) -> None:
    room = live_cast.ticket.presence_channel
    bao, _dana = await connect(live_cast.bao), await subscribe(live_cast.dana, room)
    served = socket_of(bao)

    async def disconnect_bao() -> None:
        await do(disconnect, sockets=[bao.socket_id])
        await until(lambda: served not in hub.here().sockets)

    meanwhile(disconnect_bao)
    await bao.send("pusher:subscribe", channel=room, auth="")
    assert (await bao.event("pusher:error"))["code"] == 4009
    await until(lambda: served not in hub.here().presence._of_socket)
    assert served not in hub.here().presence._channels[room].subscribers
    assert len(hub.here().presence._channels[room].subscribers) == 1


@pytest.fixture
def slow_rules(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Rules that are asked again answer when the event is set."""
    answered, ask = asyncio.Event(), Revalidation._run

    async def ask_slowly(self: Revalidation, held: list[Subscription], **options: bool) -> None:
        await answered.wait()
        await ask(self, held, **options)

    monkeypatch.setattr(Revalidation, "_run", ask_slowly)
    return answered


async def test_client_event_during_revalidation_is_rejected(live_cast: Cast, slow_rules: asyncio.Event) -> None:
    channel = live_cast.ticket.channel
    bao, casey = await subscribe(live_cast.bao, channel), await subscribe(live_cast.casey, channel)
    await do(reauthorize, users=[live_cast.bao.pk])
    await until(lambda: socket_of(bao).revalidation.is_running)
    await bao.communicator.send_to(text_data=json.dumps({"event": "client-typing", "channel": channel}))
    assert (await bao.event("pusher:error"))["code"] == 4301
    slow_rules.set()
    await until(lambda: not socket_of(bao).revalidation.is_busy)
    assert await casey.receives_nothing(channel)
    await bao.communicator.send_to(text_data=json.dumps({"event": "client-typing", "channel": channel}))
    assert "Bao Nguyen" in str(await casey.event("client-typing"))


async def test_unsubscribing_during_revalidation_sends_nothing(live_cast: Cast, slow_rules: asyncio.Event) -> None:
    channel = live_cast.ticket.channel
    leaver, stayer = await subscribe(live_cast.bao, channel), await subscribe(live_cast.dana, channel)
    await do(reauthorize, channels=[channel])
    served = socket_of(leaver)
    await until(lambda: served.revalidation.is_running)
    await leaver.send("pusher:unsubscribe", channel=channel)
    assert await answers(leaver) == []
    await do(publish, Barrier(channel))
    slow_rules.set()
    await stayer.event("test.fence")
    await until(lambda: not served.revalidation.is_busy)
    assert await answers(leaver) == []
    assert (await leaver.subscribe(channel))["event"] == SUCCEEDED


async def test_subscribing_again_during_revalidation_is_confirmed_once(
    live_cast: Cast, slow_rules: asyncio.Event
) -> None:
    channel = live_cast.ticket.channel
    bao = await subscribe(live_cast.bao, channel)
    await do(reauthorize, channels=[channel])
    await until(lambda: socket_of(bao).revalidation.is_running)
    await bao.send("pusher:unsubscribe", channel=channel)
    assert (await bao.subscribe(channel))["event"] == SUCCEEDED
    slow_rules.set()
    await until(lambda: not socket_of(bao).revalidation.is_busy)
    assert await bao.receives_nothing(channel)


async def test_events_held_for_revalidation_are_limited(
    live_cast: Cast, slow_rules: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_PENDING_FRAMES", 3)
    channel = live_cast.ticket.channel
    bao = await subscribe(live_cast.bao, channel)
    await do(reauthorize, channels=[channel])
    await until(lambda: socket_of(bao).revalidation.is_running)
    for _ in range(3):
        await do(broadcast_now, [channel], "said", '"Hello"')
    assert await answers(bao) == []
    await do(broadcast_now, [channel], "said", '"Hello"')
    assert (await bao.event("pusher:error"))["code"] == 4200


@pytest.mark.usefixtures("_every_kind")
async def test_cached_event_is_not_sent_after_revocation(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = "private-cache-forecast"
    await do(broadcast_now, [channel], "rain", '{"mm":3}')
    read, moved = cache_channels._read, []
    casey, control = await connect(live_cast.casey), await connect(live_cast.bao)
    served = socket_of(casey)

    def read_and_lose(*args: Any) -> Any:
        cached = read(*args)
        if not moved:
            moved.append(channel)
            served.subscriptions[channel].audience = None
        return cached

    monkeypatch.setattr(cache_channels, "_read", read_and_lose)
    assert (await casey.subscribe(channel))["event"] == SUCCEEDED
    assert await answers(casey) == []
    assert (await control.subscribe(channel))["event"] == SUCCEEDED
    assert await control.event("rain") == {"mm": 3}


async def test_failed_resync_is_retried(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    room = live_cast.ticket.presence_channel
    _bao = await subscribe(live_cast.bao, room)
    sync_once, failures = PresenceTracker._sync_once, []

    async def fail_once(self: PresenceTracker) -> None:
        if not failures:
            failures.append(True)
            raise ValueError("once")
        await sync_once(self)

    monkeypatch.setattr(PresenceTracker, "_sync_once", fail_once)
    await until(lambda: failures)
    dana = await connect(live_cast.dana)
    assert (await dana.subscribe(room))["data"]["presence"]["count"] == 2


async def test_socket_that_fails_revalidation_does_not_stop_the_others(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SWEEP_INTERVAL", 0.01)
    sweep, failures = PusherConsumer.sweep, []

    def fail_once(self: PusherConsumer, now: float) -> None:
        if not failures:
            failures.append(True)
            raise ValueError("once")
        sweep(self, now + 31)

    bao = await connect(live_cast.bao)
    monkeypatch.setattr(PusherConsumer, "sweep", fail_once)
    assert await bao.event("pusher:ping") == {}
    assert failures


async def test_unauthenticated_socket_is_not_revalidated(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, is_let_in = QueryBatcher.run_low_priority, asyncio.Event()

    async def ask_in_a_crowd(*asked: Any) -> Any:
        await is_let_in.wait()
        return await ask(*asked)

    def look() -> bool:
        (socket,) = hub.here().sockets
        socket.sweep(time.monotonic() + 61)
        return bool(socket.revalidation.is_busy)

    monkeypatch.setattr(QueryBatcher, "run_low_priority", ask_in_a_crowd)
    bao = await open_socket(live_cast.bao)
    await until(lambda: hub.here().sockets)
    assert not look()
    is_let_in.set()
    await bao.event("pusher:connection_established")
    assert look()


async def test_client_that_disconnects_first_leaves_no_failed_task(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))

    async def gone(*_: Any) -> None:
        raise RuntimeError("Unexpected ASGI message 'websocket.close', after sending 'websocket.close'.")

    monkeypatch.setattr(PusherConsumer, "close", gone)
    bao = await connect(live_cast.bao)
    served = socket_of(bao)
    served.fail(close_codes.DISCONNECTED)
    assert (await bao.event("pusher:error"))["code"] == 4009
    await until(served.transport._closing.done)
    gc.collect()
    assert not failures


async def test_group_joined_during_a_leave_is_kept(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = live_cast.ticket.channel, live_cast.billing.channel
    bao = await subscribe(live_cast.bao, first)
    assert (await bao.subscribe(second))["event"] == SUCCEEDED
    left: list[str] = []

    async def leave_slowly(self: GroupMembership, group: str) -> None:
        left.append(group)
        if len(left) == 1:
            for channel in (first, second):
                assert (await bao.subscribe(channel))["event"] == SUCCEEDED

    await until(lambda: not hub.here().log_tailer._reading.locked())
    monkeypatch.setattr(GroupMembership, "_leave", leave_slowly)
    for channel in (first, second):
        await bao.send("pusher:unsubscribe", channel=channel)
    await until(lambda: left)
    await answers(bao)
    assert len(left) == 1
