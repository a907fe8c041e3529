"""Test the cost of a fan-out: counted, not timed."""

import asyncio
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from realtime import consumers, limits
from realtime.broadcasting.channel_layer import group_name
from realtime.broadcasting.messages import Deliver
from realtime.channels import Audience, authorization
from realtime.consumers import PusherConsumer
from realtime.server import hub
from realtime.server.sign_in import SignIn
from realtime.server.write_batching import BatchingPolicy
from realtime.websocket import frames
from tests.support.cast import Cast
from tests.support.clients.direct_client import DirectClient, connect_directly
from tests.support.clients.raw_client import frame
from tests.support.clients.signed_clients import REFUSED, SUCCEEDED
from tests.support.sockets import do, session_cookie, until

pytestmark = pytest.mark.django_db(transaction=True)

AUDIENCE_OF = {"casey": Audience.PUBLIC, "bao": Audience.STAFF}


async def listeners(cast: Cast, name: str, number: int) -> list[DirectClient]:
    """Open this many sockets of one user, subscribed to the cast's ticket."""
    peers = [await connect_directly(getattr(cast, name)) for _ in range(number)]
    for peer in peers:
        await peer.subscribe(cast.ticket.channel)
        peer.writes.clear()
    return peers


def broadcast(cast: Cast, audience: Audience, numbers: range) -> list[str]:
    """Deliver this many messages to the hub in one turn of the loop; return their frames."""
    group = group_name(cast.ticket.channel, audience)
    texts = [json.dumps({"event": "news", "number": number}) for number in numbers]
    for number, text in zip(numbers, texts, strict=True):
        hub.here().deliver(Deliver(group, -number, 0, False, text))
    return texts


def ours() -> Counter[str]:
    """Count the living objects of the server's own classes."""
    gc.collect()
    kinds = Counter(map(type, gc.get_objects()))
    return Counter({kind.__name__: number for kind, number in kinds.items() if is_ours(kind)})


def is_ours(kind: type) -> bool:
    """Return whether each socket may have an object of this class."""
    return str(kind.__dict__.get("__module__")).startswith("realtime.")


async def test_burst_is_encoded_once_and_written_once_to_each_socket(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, customers = await listeners(live_cast, "bao", 20), await listeners(live_cast, "casey", 1)
    encoded: Counter[bytes] = Counter()
    encode = frames.frame

    def counted(opcode: frames.Opcode, payload: bytes) -> bytes:
        encoded[payload] += 1
        return encode(opcode, payload)

    monkeypatch.setattr(frames, "frame", counted)
    texts = broadcast(live_cast, Audience.STAFF, range(1, 17))
    await until(lambda: staff[-1].writes)
    assert encoded == {text.encode(): 1 for text in texts}
    whole = b"".join(encode(frames.Opcode.TEXT, text.encode()) for text in texts)
    assert [peer.writes for peer in staff] == [[whole]] * 20
    assert customers[0].writes == []


async def test_event_after_a_burst_waits_for_a_batch(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    (bao,) = await listeners(live_cast, "bao", 1)
    broadcast(live_cast, Audience.STAFF, range(1, 17))
    await until(lambda: bao.writes)
    monkeypatch.setattr(hub.here().fan_out._batching, "_duration", 3600)
    looks, allows = list[int](), BatchingPolicy.allows_write
    monkeypatch.setattr(BatchingPolicy, "allows_write", lambda pace, size: looks.append(size) or allows(pace, size))
    broadcast(live_cast, Audience.STAFF, range(17, 18))
    await until(lambda: len(looks) > 2)
    assert len(bao.writes) == 1
    broadcast(live_cast, Audience.STAFF, range(18, 33))
    await until(lambda: len(bao.writes) == 2)
    assert bao.writes[1].count(b'"news"') == 16


async def test_response_follows_earlier_channel_events(live_cast: Cast) -> None:
    (bao,) = await listeners(live_cast, "bao", 1)
    broadcast(live_cast, Audience.STAFF, range(1, 3))
    bao.send("pusher:ping")
    broadcast(live_cast, Audience.STAFF, range(3, 4))
    await until(lambda: bao.received('"number": 3'))
    assert [b"pong" in write for write in bao.writes] == [False, True, False]


async def test_unsubscribing_socket_receives_earlier_events(live_cast: Cast) -> None:
    (bao,) = await listeners(live_cast, "bao", 1)
    broadcast(live_cast, Audience.STAFF, range(1, 2))
    bao.send("pusher:unsubscribe", channel=live_cast.ticket.channel)
    broadcast(live_cast, Audience.STAFF, range(2, 3))
    bao.send("pusher:ping")
    assert (bao.received('"number": 1'), bao.received('"number": 2'), bao.received("pong")) == (True, False, True)


async def is_idle(*peers: DirectClient) -> None:
    """Return once nothing is done for these sockets, and nothing of them is remembered."""
    here = hub.here()
    await until(lambda: not (not here.queries.is_idle or any(peer.server._server.tasks for peer in peers)))
    here.session_cache.remove_old(float("inf"))


async def test_idle_socket_has_ten_objects_and_no_task(live_cast: Cast) -> None:
    (first,) = await listeners(live_cast, "bao", 1)
    await is_idle(first)
    tasks, before = len(asyncio.all_tasks()), ours()
    others = await listeners(live_cast, "bao", 20)
    await is_idle(*others)
    assert len(asyncio.all_tasks()) == tasks
    kept = {
        "PusherProtocol": 1,
        "Reader": 1,
        "ReceiveQueue": 1,
        "PusherConsumer": 1,
        "SignIn": 1,
        "Revalidation": 1,
        "Credentials": 1,
        "Subscription": 1,
        "TokenBucket": 2,
    }
    found = {name: number for name, number in (ours() - before).items() if number >= len(others)}  # not once for all
    assert found == {name: number * len(others) for name, number in kept.items()}


async def test_reading_pauses_while_responses_are_pending(live_cast: Cast) -> None:
    peer = await connect_directly(live_cast.bao)
    peer.writes.clear()
    for _ in range(20):
        peer.send("pusher:subscribe", channel=live_cast.ticket.channel, auth="")
    assert not peer.is_read
    await until(lambda: peer.is_read)
    assert sum(write.count(b"subscription_succeeded") for write in peer.writes) == 20


@pytest.fixture
def crowd_ahead(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Delay all user lookups until the event is set."""
    is_through, read = threading.Event(), SignIn._read

    def wait_and_read(self: SignIn, *args: Any) -> Any:
        is_through.wait()
        return read(self, *args)

    monkeypatch.setattr(SignIn, "_read", wait_and_read)
    yield is_through
    is_through.set()


async def test_socket_waiting_for_its_user_is_not_anonymous(live_cast: Cast, crowd_ahead: threading.Event) -> None:
    cookie = await sync_to_async(session_cookie)(live_cast.bao)
    peer = DirectClient()
    peer.shake_hands(cookie)
    await until(lambda: hub.here().sockets)
    for socket in tuple(hub.here().sockets):
        socket.sweep(time.monotonic() + 31)
    peer.send("pusher:pong")
    crowd_ahead.set()
    await until(lambda: peer.received("connection_established"))
    assert not peer.received("pusher:error")
    peer.server.connection_lost(None)


async def test_message_received_during_a_query_counts_as_activity(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, ask = asyncio.Event(), PusherConsumer.authorize

    async def ask_slowly(self: PusherConsumer, subscriptions: Any) -> Any:
        await answered.wait()
        return await ask(self, subscriptions)

    monkeypatch.setattr(PusherConsumer, "authorize", ask_slowly)
    peer = await connect_directly(live_cast.bao)
    (socket,) = hub.here().sockets
    peer.send("pusher:subscribe", channel=live_cast.ticket.channel, auth="")
    socket.sweep(time.monotonic() + 31)
    assert peer.received("pusher:ping")
    peer.send("pusher:pong")
    socket.sweep(time.monotonic() + 46)
    answered.set()
    await until(lambda: peer.received("subscription_succeeded"))
    assert not peer.received("pusher:error")


async def test_event_during_revalidation_is_held(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    (bao,), (dana,) = await listeners(live_cast, "bao", 1), await listeners(live_cast, "dana", 1)
    answered, ask = asyncio.Event(), PusherConsumer.authorize

    async def ask_slowly(self: PusherConsumer, subscriptions: Any) -> Any:
        await answered.wait()
        return await ask(self, subscriptions)

    monkeypatch.setattr(PusherConsumer, "authorize", ask_slowly)
    bao.consumer.reauthorize({live_cast.ticket.channel}, whole_user=False)
    broadcast(live_cast, Audience.STAFF, range(1, 2))
    await until(lambda: dana.writes)
    assert not bao.writes
    answered.set()
    await until(lambda: bao.writes)
    await until(lambda: not bao.consumer.revalidation._tasks)
    assert bao.consumer.write_now is not None


async def test_slow_client_is_closed_with_4100_and_others_stay_open(live_cast: Cast) -> None:
    slow, other = await listeners(live_cast, "bao", 2)
    slow.server.pause_writing()  # asyncio: the write buffer is full
    assert slow.writes == [frames.close_frame(4100)]
    broadcast(live_cast, Audience.STAFF, range(1, 2))
    await until(lambda: other.writes)
    assert len(slow.writes) == 1


async def test_closing_socket_is_not_written_to(live_cast: Cast) -> None:
    (bao,), (dana,) = await listeners(live_cast, "bao", 1), await listeners(live_cast, "dana", 1)
    bao.server.data_received(frame(frames.Opcode.CLOSE, b""))
    broadcast(live_cast, Audience.STAFF, range(1, 2))
    await until(lambda: dana.writes)
    assert bao.writes == [frames.close_frame(frames.NO_STATUS)]


async def test_unwritable_socket_does_not_delay_others(live_cast: Cast) -> None:
    staff = await listeners(live_cast, "bao", 5)

    def fail(frames: bytes) -> None:
        raise RuntimeError("The handler is closed.")

    for peer in staff[:2]:
        peer.consumer.write_now = fail
    broadcast(live_cast, Audience.STAFF, range(1, 2))
    await until(lambda: sum(len(peer.writes) for peer in staff) == 3)
    assert [len(peer.writes) for peer in staff] == [0, 0, 1, 1, 1]


async def test_several_subscriptions_are_authorized_together_in_order(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao, (ask, asked) = await connect_directly(live_cast.bao), (authorization.authorize_channels, list[set[str]]())
    monkeypatch.setattr(
        consumers, "authorize_channels", lambda who, names, **more: asked.append(names) or ask(who, names, **more)
    )
    channels = [live_cast.ticket.channel, live_cast.casey.channel, live_cast.billing.channel, live_cast.bao.channel]
    await bao.subscribe_at_once(*channels, "not a name")
    _, *answers = bao.messages()
    assert [answer.get("channel") for answer in answers] == [*channels, None, None]
    assert [answer["event"] for answer in answers[:4]] == [SUCCEEDED, REFUSED, SUCCEEDED, SUCCEEDED]
    assert [set(names) for names in asked] == [set(channels)]


async def test_subscription_is_answered_after_earlier_messages(live_cast: Cast) -> None:
    bao, channel = await connect_directly(live_cast.bao), live_cast.ticket.channel
    bao.send("pusher:subscribe", channel=live_cast.bao.channel, auth="")
    bao.send("pusher:subscribe", channel=channel, auth="")
    bao.send("pusher:unsubscribe", channel=channel)
    bao.send("pusher:ping")
    await until(lambda: bao.received("pusher:pong"))
    assert bao.consumer.subscriptions.keys() == {live_cast.bao.channel}


async def test_revocation_after_authorization_reauthorizes_each_pending_channel(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao, prepare = await connect_directly(live_cast.bao), hub.Hub.prepare

    async def leave_office_meanwhile(self: hub.Hub, channels: Any) -> None:
        await prepare(self, channels)
        await do(live_cast.billing.agents.remove, live_cast.bao)
        await self.log_tailer.read()

    monkeypatch.setattr(hub.Hub, "prepare", leave_office_meanwhile)
    await bao.subscribe_at_once(live_cast.bao.channel, live_cast.ticket.channel)
    assert bao.consumer.subscriptions.keys() == {live_cast.bao.channel}


async def test_subscription_over_the_limit_is_refused_without_a_query(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SUBSCRIPTIONS", 1)
    bao = await connect_directly(live_cast.bao)
    await bao.subscribe_at_once(live_cast.bao.channel, live_cast.ticket.channel)
    assert bao.consumer.subscriptions.keys() == {live_cast.bao.channel}
