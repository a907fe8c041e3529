"""One socket: how it is greeted or refused, what it may say, and how it ends."""

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
from tests.support.sockets import Listener, connect, do, greeted, listen

pytestmark = pytest.mark.django_db(transaction=True)


async def ended(listener: Listener) -> tuple[int, int]:
    """Return the code that pusher:error names and the close code."""
    error = await listener.event("pusher:error")
    closed = await listener.frame()
    return error["code"], closed["code"]


async def test_a_page_is_greeted_with_an_id_and_a_timeout(live_cast: Cast) -> None:
    listener = await connect(live_cast.casey)
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
async def test_a_wrong_address_is_accepted_and_told_why(path: str, code: int) -> None:
    assert await ended(await connect(path=path)) == (code, code)


@pytest.mark.parametrize("query", ["", "?protocol=", "?protocol=x", "?protocol=5", "?x"])
async def test_whoever_names_no_protocol_or_an_older_one_is_served(query: str) -> None:
    assert (await greeted(path=f"/app/tikm{query}")).socket_id


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver.evil.example", "http://testserver:81"])
async def test_a_page_of_another_site_is_turned_away(live_cast: Cast, origin: str) -> None:
    assert await ended(await connect(live_cast.casey, origin=origin)) == (4009, 4009)


async def test_a_trusted_origin_is_served(live_cast: Cast, settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://desk.example"]
    listener = await greeted(live_cast.casey, origin="https://desk.example")
    answer = await listener.subscribe(live_cast.ticket.channel)
    assert answer["event"] == "pusher_internal:subscription_succeeded"


async def test_a_host_that_is_not_ours_is_turned_away(live_cast: Cast) -> None:
    listener = await connect(live_cast.casey, origin="http://rebound.example", host="rebound.example")
    assert await ended(listener) == (4009, 4009)


@pytest.mark.parametrize("origin", [None, "null"])
async def test_without_an_origin_a_cookie_proves_nothing(live_cast: Cast, origin: str | None) -> None:
    listener = await greeted(live_cast.casey, origin=origin)
    answer = await listener.subscribe(live_cast.ticket.channel)
    assert answer["data"]["status"] == 403


async def test_an_empty_signature_without_an_identity_is_refused(live_cast: Cast) -> None:
    answer = await (await greeted()).subscribe(live_cast.ticket.channel)
    assert answer["event"] == "pusher:subscription_error"


async def test_a_false_signature_is_refused_even_to_who_may_hear(live_cast: Cast) -> None:
    listener = await greeted(live_cast.casey)
    answer = await listener.subscribe(live_cast.ticket.channel, auth="tikm:" + "0" * 64)
    assert answer["event"] == "pusher:subscription_error"
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://["}, {"host": "[x"}, {"origin": "x", "host": ""}, {"cookie": 'sessionid="a\\000"'}],
)
async def test_a_malformed_handshake_is_no_traceback(
    live_cast: Cast, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    listener = await connect(**headers)
    assert (await listener.frame())["event"] in ("pusher:error", "pusher:connection_established")
    assert not [record for record in caplog.records if record.exc_info]


async def test_one_person_has_a_bounded_number_of_sockets(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 2)
    held = [await greeted(live_cast.greta) for _ in range(2)]
    assert await ended(await connect(live_cast.greta)) == (4100, 4100)
    assert (await greeted(live_cast.casey)).socket_id
    await held[0].close()
    assert (await greeted(live_cast.greta)).socket_id


async def test_a_ping_is_answered() -> None:
    listener = await greeted()
    await listener.say("pusher:ping")
    assert (await listener.frame())["event"] == "pusher:pong"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"event":"unknown"}', '{"event":"pusher:subscribe"}', '{"event":"x","data":"y"}',
     '{"event":"pusher:subscribe","data":{"channel":7}}', '{"event":"pusher:subscribe","data":{"channel":"a b"}}',
     '{"event":"pusher:ping","more":"' + "x" * limits.MAX_MESSAGE_SIZE + '"}', "\ud800",
     '{"event":"pusher:subscribe","data":{"channel":"a","auth":"\\ud800"}}', '{"event":"\\ud800"}'],
)  # fmt: skip
async def test_a_malformed_frame_is_answered_and_the_socket_lives_on(text: str) -> None:
    listener = await greeted()
    await listener.communicator.send_input({"type": "websocket.receive", "text": text})
    error = await listener.frame()
    assert (error["event"], error["data"]["code"]) == ("pusher:error", 4200)
    await listener.say("pusher:ping")
    assert (await listener.frame())["event"] == "pusher:pong"


async def test_a_binary_frame_ends_the_socket() -> None:
    listener = await greeted()
    await listener.communicator.send_to(bytes_data=b"\x00")
    assert await ended(listener) == (1003, 1003)


async def test_a_client_event_that_nobody_allowed_reaches_nobody(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    speaker, other = await listen(live_cast.casey, channel), await listen(live_cast.bao, channel)
    await speaker.communicator.send_to(
        text_data=json.dumps({"event": "client-boasting", "channel": channel, "data": {"name": "Bao"}})
    )
    assert (await speaker.event("pusher:error"))["code"] == 4301
    assert await other.hears_nothing(channel)


async def test_subscribing_twice_does_no_harm(live_cast: Cast) -> None:
    listener = await listen(live_cast.bao, live_cast.ticket.channel)
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")
    await do(live_cast.reply, live_cast.casey, "Hello?")
    await listener.event("ticket.reply.created")
    assert await listener.hears_nothing(live_cast.ticket.channel)


async def test_whoever_unsubscribes_hears_no_more(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    leaver, stayer = await listen(live_cast.bao, channel), await listen(live_cast.dana, channel)
    assert (await leaver.subscribe(live_cast.billing.channel))["event"].endswith("succeeded")
    await leaver.say("pusher:unsubscribe", channel=channel)
    await leaver.say("pusher:unsubscribe", channel="private-never.1")
    await leaver.say("pusher:ping")
    await leaver.event("pusher:pong")
    await do(live_cast.reply, live_cast.casey, "Hello?")
    assert (await stayer.event("ticket.reply.created"))["reply"]["message"] == "Hello?"
    assert (await leaver.frame())["channel"] == live_cast.billing.channel
    assert await leaver.hears_nothing(live_cast.billing.channel)


async def test_a_socket_has_a_bounded_number_of_subscriptions(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SUBSCRIPTIONS", 1)
    listener = await listen(live_cast.bao, live_cast.ticket.channel)
    assert (await listener.subscribe(live_cast.billing.channel))["event"] == "pusher:subscription_error"
    assert (await listener.subscribe(live_cast.ticket.channel))["event"].endswith("succeeded")


async def test_a_silent_socket_is_pinged_and_then_closed(live_cast: Cast) -> None:
    silent, awake = await greeted(live_cast.casey), await greeted(live_cast.bao)
    sweep(31)
    assert (await silent.frame())["event"] == (await awake.frame())["event"] == "pusher:ping"
    await awake.say("pusher:pong")
    await awake.say("pusher:ping")
    await awake.event("pusher:pong")
    sweep(46)
    assert await ended(silent) == (4201, 4201)
    assert (await awake.frame())["event"] == "pusher:ping"


def sweep(seconds: float) -> None:
    """Let the hub look for silent sockets as if `seconds` had passed."""
    for socket in tuple(hub.here().sockets):
        socket.sweep(time.monotonic() + seconds)


async def test_a_socket_that_fails_leaves_nothing_behind(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await listen(live_cast.bao, live_cast.ticket.channel)
    assert len(hub.here().sockets) == 1
    await listener.close()
    assert not hub.here().sockets
    assert not any(hub.here().fan_out.groups.values())


async def test_a_socket_that_floods_is_closed_and_others_are_not(live_cast: Cast) -> None:
    flooder, other = await greeted(live_cast.greta), await greeted(live_cast.bao)
    for _ in range(limits.MESSAGE_BURST + 50):
        await flooder.say("pusher:ping")
    assert (await flooder.event("pusher:error"))["code"] == 4100
    await other.say("pusher:ping")
    assert (await other.frame())["event"] == "pusher:pong"


async def test_a_burst_does_not_end_a_socket_that_reads(live_cast: Cast) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)

    def burst() -> None:
        with transaction.atomic():
            for _ in range(150):
                live_cast.reply(live_cast.bao, "x" * 4500)

    await do(burst)
    for _ in range(150):
        await listener.event("ticket.reply.created")


async def test_a_reader_who_stopped_reading_is_given_up_and_costs_the_others_nothing() -> None:
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
