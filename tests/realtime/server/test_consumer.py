"""Test one socket: how it is accepted or refused, what it may send, and how it ends."""

import asyncio
import json
import time

import pytest
from django.db import transaction
from pytest_django import Settings

from realtime import limits
from realtime.protocol import close_codes
from realtime.server import hub
from realtime.websocket.frames import Frames
from realtime.websocket.transport import ASGITransport
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, connect, do, open_socket, subscribe, until

pytestmark = pytest.mark.django_db(transaction=True)


async def ended(listener: SocketClient) -> tuple[int, int]:
    """Return the code that pusher:error names and the close code."""
    error = await listener.event("pusher:error")
    closed = await listener.frame()
    return error["code"], closed["code"]


async def test_connection_is_established_with_an_id_and_a_timeout(live_cast: Cast) -> None:
    listener = await open_socket(live_cast.casey)
    greeting = await listener.event("pusher:connection_established")
    assert greeting == {"socket_id": greeting["socket_id"], "activity_timeout": 30}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/wrong?protocol=7", 4001),
        ("/app/tikm?protocol=4", 4007),
        ("/app/tikm?protocol=8", 4007),
        ("/somewhere", 4005),
    ],
)
async def test_wrong_path_is_accepted_and_closed_with_a_code(path: str, code: int) -> None:
    assert await ended(await open_socket(path=path)) == (code, code)


@pytest.mark.parametrize("query", ["", "?protocol=", "?protocol=x", "?protocol=5", "?x"])
async def test_missing_or_older_protocol_version_is_served(query: str) -> None:
    assert (await connect(path=f"/app/tikm{query}")).socket_id


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil.example", "http://testserver:81"])
async def test_cross_origin_page_is_refused(live_cast: Cast, origin: str) -> None:
    assert await ended(await open_socket(live_cast.casey, origin=origin)) == (4009, 4009)


async def test_trusted_origin_is_served(live_cast: Cast, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example"]
    listener = await connect(live_cast.casey, origin="https://desk.example")
    answer = await listener.subscribe(live_cast.ticket.channel)
    assert answer["event"] == "pusher_internal:subscription_succeeded"


async def test_unknown_host_is_refused(live_cast: Cast) -> None:
    listener = await open_socket(live_cast.casey, origin="http://rebound.example", host="rebound.example")
    assert await ended(listener) == (4009, 4009)


@pytest.mark.parametrize("origin", [None, "null"])
async def test_cookie_without_origin_is_anonymous(live_cast: Cast, origin: str | None) -> None:
    listener = await connect(live_cast.casey, origin=origin)
    answer = await listener.subscribe(live_cast.ticket.channel)
    assert answer["data"]["status"] == 403


async def test_empty_signature_without_credentials_is_refused(live_cast: Cast) -> None:
    answer = await (await connect()).subscribe(live_cast.ticket.channel)
    assert answer["event"] == "pusher:subscription_error"


async def test_false_signature_is_refused_to_an_authorized_user(live_cast: Cast) -> None:
    listener = await connect(live_cast.casey)
    answer = await listener.subscribe(live_cast.ticket.channel, auth="tikm:" + "0" * 64)
    assert answer["event"] == "pusher:subscription_error"
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://["}, {"host": "[x"}, {"origin": "x", "host": ""}, {"cookie": 'sessionid="a\\000"'}],
)
async def test_malformed_handshake_logs_no_traceback(
    live_cast: Cast, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    listener = await open_socket(**headers)
    assert (await listener.frame())["event"] in ("pusher:error", "pusher:connection_established")
    assert not [record for record in caplog.records if record.exc_info]


async def test_connections_of_a_user_are_limited(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 2)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    held = [await connect(live_cast.greta) for _ in range(2)]
    assert await ended(await open_socket(live_cast.greta)) == (4101, 4101)
    assert (await connect(live_cast.casey)).socket_id
    await held[0].close()
    assert (await connect(live_cast.greta)).socket_id


async def test_connection_over_the_limit_waits_for_one_that_closes(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 1)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", (0.01,) * 1000)
    first, counts = await connect(live_cast.greta), hub.here().connection_limits
    second = asyncio.create_task(connect(live_cast.greta))
    await until(lambda: counts.waiting == 1)
    await first.close()
    assert (await second).socket_id
    assert counts.waiting == 0
    await (await second).close()


async def test_waiting_connections_are_bounded(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in (("MAX_CONNECTIONS_PER_USER", 1), ("MAX_WAITING_CONNECTIONS", 1)):
        monkeypatch.setattr(limits, name, limit)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", (0.01,) * 1000)
    first, counts = await connect(live_cast.greta), hub.here().connection_limits
    second = asyncio.create_task(connect(live_cast.greta))
    await until(lambda: counts.waiting == 1)
    assert await ended(await open_socket(live_cast.greta)) == (4101, 4101)
    await first.close()
    await (await second).close()


async def test_waiting_connection_that_is_lost_is_not_counted(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 1)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", (0.01,) * 1000)
    first, counts = await connect(live_cast.greta), hub.here().connection_limits
    lost = await open_socket(live_cast.greta)
    await until(lambda: counts.waiting == 1)
    await lost.communicator.send_input({"type": "websocket.disconnect", "code": 1006})
    await first.close()
    await until(lambda: counts.waiting == 0)
    fresh = await connect(live_cast.greta)
    await fresh.close()


async def test_ping_is_answered() -> None:
    listener = await connect()
    await listener.send("pusher:ping")
    assert (await listener.frame())["event"] == "pusher:pong"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"event":"unknown"}', '{"event":"pusher:subscribe"}', '{"event":"x","data":"y"}',
     '{"event":"pusher:subscribe","data":{"channel":7}}', '{"event":"pusher:subscribe","data":{"channel":"a b"}}',
     '{"event":"pusher:ping","more":"' + "x" * limits.MAX_MESSAGE_SIZE + '"}', "\ud800",
     '{"event":"pusher:subscribe","data":{"channel":"a","auth":"\\ud800"}}', '{"event":"\\ud800"}'],
)  # fmt: skip
async def test_malformed_frame_is_an_error_and_the_socket_stays_open(text: str) -> None:
    listener = await connect()
    await listener.communicator.send_input({"type": "websocket.receive", "text": text})
    error = await listener.frame()
    assert (error["event"], error["data"]["code"]) == ("pusher:error", 4200)
    await listener.send("pusher:ping")
    assert (await listener.frame())["event"] == "pusher:pong"


async def test_binary_frame_closes_the_socket() -> None:
    listener = await connect()
    await listener.communicator.send_to(bytes_data=b"\x00")
    assert await ended(listener) == (1003, 1003)


async def test_unlisted_client_event_is_not_forwarded(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    speaker, other = await subscribe(live_cast.casey, channel), await subscribe(live_cast.bao, channel)
    await speaker.communicator.send_to(
        text_data=json.dumps({"event": "client-boasting", "channel": channel, "data": {"name": "Bao"}})
    )
    assert (await speaker.event("pusher:error"))["code"] == 4301
    assert await other.receives_nothing(channel)


async def test_second_subscription_to_a_channel_is_harmless(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.bao, live_cast.ticket.channel)
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")
    await do(live_cast.reply, live_cast.casey, "Hello?")
    await listener.event("ticket.reply.created")
    assert await listener.receives_nothing(live_cast.ticket.channel)


async def test_unsubscribed_socket_receives_no_more_events(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    leaver, stayer = await subscribe(live_cast.bao, channel), await subscribe(live_cast.dana, channel)
    assert (await leaver.subscribe(live_cast.billing.channel))["event"].endswith("succeeded")
    await leaver.send("pusher:unsubscribe", channel=channel)
    await leaver.send("pusher:unsubscribe", channel="private-never.1")
    await leaver.send("pusher:ping")
    await leaver.event("pusher:pong")
    await do(live_cast.reply, live_cast.casey, "Hello?")
    assert (await stayer.event("ticket.reply.created"))["reply"]["message"] == "Hello?"
    assert (await leaver.frame())["channel"] == live_cast.billing.channel
    assert await leaver.receives_nothing(live_cast.billing.channel)


async def test_subscriptions_of_a_socket_are_limited(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SUBSCRIPTIONS", 1)
    listener = await subscribe(live_cast.bao, live_cast.ticket.channel)
    assert (await listener.subscribe(live_cast.billing.channel))["event"] == "pusher:subscription_error"
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")


async def test_silent_socket_is_pinged_and_then_closed(live_cast: Cast) -> None:
    silent, awake = await connect(live_cast.casey), await connect(live_cast.bao)
    sweep(31)
    assert (await silent.frame())["event"] == (await awake.frame())["event"] == "pusher:ping"
    await awake.send("pusher:pong")
    await awake.send("pusher:ping")
    await awake.event("pusher:pong")
    sweep(46)
    assert await ended(silent) == (4201, 4201)
    assert (await awake.frame())["event"] == "pusher:ping"


def sweep(seconds: float) -> None:
    """Let the hub look for silent sockets as if `seconds` had passed."""
    for socket in tuple(hub.here().sockets):
        socket.sweep(time.monotonic() + seconds)


async def test_failed_socket_leaves_nothing_behind(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await subscribe(live_cast.bao, live_cast.ticket.channel)
    assert len(hub.here().sockets) == 1
    await listener.close()
    assert not hub.here().sockets
    assert not any(hub.here().fan_out.groups.values())


async def test_flooding_socket_is_closed_alone(live_cast: Cast) -> None:
    flooder, other = await connect(live_cast.greta), await connect(live_cast.bao)
    for _ in range(limits.MESSAGE_BURST + 50):
        await flooder.send("pusher:ping")
    assert (await flooder.event("pusher:error"))["code"] == 4100
    await other.send("pusher:ping")
    assert (await other.frame())["event"] == "pusher:pong"


@pytest.mark.usefixtures("_no_pings")
async def test_burst_does_not_close_a_reading_socket(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)

    def burst() -> None:
        with transaction.atomic():
            for _ in range(150):
                live_cast.reply(live_cast.bao, "x" * 4500)

    await do(burst)
    for _ in range(150):
        await listener.event("ticket.reply.created")


async def test_slow_consumer_is_dropped_and_others_are_served() -> None:
    closed: asyncio.Queue[int] = asyncio.Queue()
    never = asyncio.Event()

    async def send(_text: str) -> None:
        await never.wait()

    async def close(code: int) -> None:
        closed.put_nowait(code)

    writer = ASGITransport(send, close)
    assert all(writer.write(Frames("x" * 1000)) for _ in range(limits.MAX_WRITE_BUFFER // 1000))
    assert not writer.write(Frames("x" * 2000))
    writer.close(close_codes.SLOW_CONSUMER.code)
    assert await closed.get() == close_codes.SLOW_CONSUMER.code
    assert not writer._size
