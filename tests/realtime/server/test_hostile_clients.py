"""Test that hostile messages are answered, reach no other client and leave nothing behind."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from realtime import limits
from realtime.broadcasting.ephemeral import disconnect
from realtime.server import hub
from tests.realtime.server.test_revocation import expire, sign_out, signature
from tests.support.cast import Cast
from tests.support.clients.signed_clients import (
    REFUSED,
    SECRET,
    SUCCEEDED,
    answers,
    send,
    send_client_event,
    sign_in,
    signed,
    signed_text,
    signed_user,
    user_data,
)
from tests.support.sockets import SocketClient, connect, do, open_socket, subscribe
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)
every_kind = pytest.mark.usefixtures("_every_kind")
ROOM = "presence-room.a"
ELSEWHERE = "203.0.113.7"
ADDED = "pusher_internal:member_added"


@pytest.fixture(autouse=True)
def _no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a client does, the log has no traceback."""
    yield
    tracebacks = [record for record in caplog.get_records("call") if record.exc_info]
    assert not tracebacks, [record.getMessage() for record in tracebacks]


async def codes(listener: SocketClient) -> list[int]:
    """Return the codes of the errors that answer what was sent."""
    return [frame["data"]["code"] for frame in await answers(listener) if frame["event"] == "pusher:error"]


async def ended(listener: SocketClient) -> tuple[int, int]:
    """Return the code that pusher:error names and the close code."""
    error = await listener.event("pusher:error")
    closed = await listener.frame()
    return error["code"], closed["code"]


# -- Signatures


@every_kind
async def test_signature_covers_socket_channel_and_data() -> None:
    guest, other = await connect(origin=None), await connect(origin=None)
    good = signed(guest, ROOM, "zed", name="Zed")
    key, digest = good["auth"].split(":")
    for forgery in (
        signed(other, ROOM, "zed", name="Zed"),
        signed(guest, "presence-room.b", "zed", name="Zed"),
        {"auth": good["auth"]},
        signed(guest, ROOM),
        {**good, "channel_data": good["channel_data"] + " "},
        *({**good, "auth": f"{key}:{text}"} for text in ("", digest[:-1], digest + "0", digest.upper(), "\u00e9")),
        *({**good, "auth": f"{name}:{digest}"} for name in ("", "other", "tikm:tikm", "TIKM")),
        *({**good, "auth": text} for text in (digest, "x", "::", f"{good['auth']}:", f"{good['auth']}:a:b")),
        {**good, "auth": user_data(guest, "zed")["auth"]},
    ):
        assert (await guest.subscribe(ROOM, **forgery))["event"] == REFUSED, forgery
    assert (await guest.subscribe(ROOM, **good))["event"] == SUCCEEDED


@every_kind
async def test_signed_data_cannot_be_changed() -> None:
    guest = await connect(origin=None)
    good = signed(guest, ROOM, "zed", name="Zed")
    data = good["channel_data"]
    for place in range(len(data)):
        changed = data[:place] + chr(ord(data[place]) ^ 1) + data[place + 1 :]
        assert (await guest.subscribe(ROOM, **{**good, "channel_data": changed}))["event"] == REFUSED
    assert (await guest.subscribe(ROOM, **good))["event"] == SUCCEEDED


@every_kind
async def test_resubscribing_requires_a_new_signature() -> None:
    guest = await connect(origin=None)
    assert (await guest.subscribe("private-room.a", **signed(guest, "private-room.a")))["event"] == SUCCEEDED
    await guest.send("pusher:unsubscribe", channel="private-room.a")
    assert (await guest.subscribe("private-room.a"))["event"] == REFUSED
    assert (await guest.subscribe("private-room.a", **signed(guest, "private-room.a")))["event"] == SUCCEEDED


@every_kind
async def test_inactive_user_cannot_be_a_guest(live_cast: Cast) -> None:
    hiro, zed = await connect(origin=None), await connect(origin=None)
    for channel in (ROOM, "private-room.a"):
        answer = await hiro.subscribe(channel, **signed(hiro, channel, str(live_cast.hiro.pk), name="Hiro"))
        assert answer["event"] == REFUSED
        assert (await zed.subscribe(channel, **signed(zed, channel, "zed")))["event"] == SUCCEEDED


@every_kind
async def test_ended_session_leaves_no_guest(live_cast: Cast) -> None:
    client, channel = Client(), ROOM
    await do(client.force_login, live_cast.bao)
    early, late = await connect(origin=None), await connect(origin=None)
    used, kept = [await do(signature, client, each.socket_id, channel) for each in (early, late)]
    assert (await early.subscribe(channel, **used))["event"] == SUCCEEDED
    await do(sign_out, live_cast)
    assert (await late.subscribe(channel, **kept))["event"] == REFUSED


@every_kind
async def test_sign_in_reauthorizes_every_channel(live_cast: Cast) -> None:
    guest, stranger = await connect(origin=None), await connect(origin=None)
    for listener in (guest, stranger):
        assert (await listener.subscribe("lobby"))["event"] == SUCCEEDED
    await guest.send("pusher:signin", **user_data(guest, str(live_cast.casey.pk)))
    assert (await guest.event(REFUSED))["status"] == 403
    await sign_in(stranger, "another-user")
    assert await stranger.receives_nothing("lobby")


async def test_other_spelling_of_a_user_id_is_that_user(live_cast: Cast) -> None:
    shouted = str(live_cast.bao.pk).upper()
    terminated, switched_off, control = await connect(origin=None), await connect(origin=None), await connect()
    await sign_in(terminated, shouted)
    await do(disconnect, users=[shouted])
    assert (await terminated.event("pusher:error"))["code"] == 4009
    await sign_in(switched_off, shouted)
    live_cast.bao.is_active = False
    await do(live_cast.bao.save)
    assert (await switched_off.event("pusher:error"))["code"] == 4009
    assert await answers(control) == []


# -- Signed data

NO_IDS = ["true", "null", "1.5", "1e3", "[7]", "{}", "NaN", "1e999", "", '""', '"a\\nb"', '"\\u0000"', '"\\ud800"']
NO_IDS += ["1" * 129, "1" * 5000, '"' + "x" * 129 + '"']


@every_kind
async def test_user_id_is_a_string_or_an_integer_on_one_line(live_cast: Cast) -> None:
    host, guest = await subscribe(live_cast.casey, ROOM), await connect(origin=None)
    for text in NO_IDS:
        data = f'{{"user_id":{text},"user_info":{{}}}}'
        assert (await guest.subscribe(ROOM, **signed_text(guest, ROOM, data)))["event"] == REFUSED, text
    twice = '{"user_id":"x","user_info":null,"user_id":"\u00e9 y\U0001f469"}'
    assert (await guest.subscribe(ROOM, **signed_text(guest, ROOM, twice)))["event"] == SUCCEEDED
    assert await host.event(ADDED) == {"user_id": "\u00e9 y\U0001f469", "user_info": None}


@every_kind
async def test_guest_info_is_small_and_valid(live_cast: Cast) -> None:
    host, guest = await subscribe(live_cast.casey, ROOM), await connect(origin=None)
    for info in ('"' + "x" * 1023 + '"', '"' + "\u00e9" * 512 + '"', "NaN", "-Infinity", '"\\ud800"', "[" * 9999):
        data = f'{{"user_id":"zed","user_info":{info}}}'
        assert (await guest.subscribe(ROOM, **signed_text(guest, ROOM, data)))["event"] == REFUSED, info
    fits = '"' + "x" * 1022 + '"'
    data = f'{{"user_id":"zed","user_info":{fits}}}'
    assert (await guest.subscribe(ROOM, **signed_text(guest, ROOM, data)))["event"] == SUCCEEDED
    assert (await host.event(ADDED))["user_id"] == "zed"


async def test_watchlist_accepts_ids_only(live_cast: Cast) -> None:
    watcher, bao = await connect(origin=None), str(live_cast.bao.pk)
    odd = [None, True, 1.5, [], [[["x"]]], {}, {"a": []}, "", "a\nb", "\u0000", "x" * 500, "x" * 128, 7, bao]
    data = user_data(watcher, str(live_cast.casey.pk), watchlist=odd + [[number] for number in range(86)])
    await watcher.send("pusher:signin", **data)
    (event,) = (await watcher.event("pusher_internal:watchlist_events"))["events"]
    assert (event["name"], set(event["user_ids"])) == ("offline", {"x" * 128, "7", bao})


async def test_repeated_sign_in_does_not_grow_the_watchlist(live_cast: Cast) -> None:
    watcher, casey = await connect(origin=None), str(live_cast.casey.pk)
    for first, event in ((0, "pusher_internal:watchlist_events"), (100, "pusher:error")):
        people = [f"person-{number}" for number in range(first, first + 100)]
        await watcher.send("pusher:signin", **user_data(watcher, casey, watchlist=people))
        await watcher.event(event)
    assert len(hub.here().presence._channels) == 100


@pytest.mark.parametrize("text", ["7", "true", '"a\\nb"', '"\\u0000"', '"' + "x" * 129 + '"', '"a","x":NaN'])
async def test_sign_in_requires_an_id(text: str) -> None:
    listener = await connect(origin=None)
    await listener.send("pusher:signin", **signed_user(listener, f'{{"id":{text}}}'))
    assert await codes(listener) == [4200]
    await listener.send("pusher:signin", **signed_user(listener, '{"id":"a"}'))
    assert [frame["event"] for frame in await answers(listener)] == ["pusher:signin_success"]


# -- Frames


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


BOMBS = {
    "deep": '{"event":' + nested(8000) + "}",
    "deep objects": '{"a":' * 2000 + "1" + "}" * 2000,
    "deep data": '{"event":"pusher:subscribe","data":' + nested(5000) + "}",
    "deep in text": '{"event":"pusher:subscribe","data":"' + nested(5000) + '"}',
    "many digits": '{"event":"pusher:ping","data":' + "1" * 10_000 + "}",
    "huge": '{"event":"pusher:ping","data":1e999}',
    "not a number": '{"event":"pusher:ping","data":NaN}',
    "infinite": '{"event":"pusher:ping","data":{"a":-Infinity}}',
    "half a character": '{"event":"pusher:ping","data":"\\udc00"}',
    "null bytes": "\x00" * 100,
    "auth of numbers": '{"event":"pusher:subscribe","data":{"channel":"news","auth":7}}',
    "auth of lists": '{"event":"pusher:subscribe","data":{"channel":"news","auth":' + nested(900) + "}}",
    "data of lists": '{"event":"pusher:subscribe","data":{"channel":"news","auth":"","channel_data":[]}}',
    "channel of lists": '{"event":"pusher:subscribe","data":{"channel":["news"]}}',
    "sign-in of lists": '{"event":"pusher:signin","data":{"auth":[],"user_data":"{}"}}',
    "user data of objects": '{"event":"pusher:signin","data":{"auth":"","user_data":{"id":"7"}}}',
    "internal": '{"event":"pusher_internal:subscription_succeeded","channel":"news","data":"{}"}',
    "error": '{"event":"pusher:error","data":{"code":4009}}',
}


@every_kind
@pytest.mark.parametrize("bomb", BOMBS)
async def test_deeply_nested_message_is_malformed(bomb: str) -> None:
    listener = await connect()
    await send(listener, BOMBS[bomb])
    assert await codes(listener) == [4200]
    assert (await listener.subscribe("news"))["event"] == SUCCEEDED


@every_kind
async def test_every_depth_is_accepted_or_malformed(live_cast: Cast) -> None:
    speaker = await subscribe(live_cast.casey, "private-room.a")
    for depth in (*range(50, 80), *range(900, 1000, 10), 2000, 4000):
        await send(speaker, f'{{"event":"client-wave","channel":"private-room.a","data":{nested(depth)}}}')
    assert set(await codes(speaker)) <= {4200, 4301}


@every_kind
async def test_subscribers_receive_only_data_that_browsers_can_parse(live_cast: Cast) -> None:
    speaker, other = (
        await subscribe(live_cast.casey, "private-room.a"),
        await subscribe(live_cast.bao, "private-room.a"),
    )
    for number in ("NaN", "Infinity", "1e999"):
        await send(speaker, f'{{"event":"client-wave","channel":"private-room.a","data":{{"a":{number}}}}}')
    assert await codes(speaker) == [4200] * 3
    await send_client_event(speaker, "client-wave", "private-room.a", {"a": 1e300})
    assert await other.event("client-wave") == {"a": 1e300}
    assert len(other.received) == 3


async def test_ten_thousand_subscriptions_close_the_socket(live_cast: Cast) -> None:
    other, flooder = await connect(live_cast.bao), await connect(live_cast.greta)
    for number in range(10_000):
        await flooder.send("pusher:subscribe", channel=f"private-tickets.{number}", auth="")
    assert await ended(flooder) == (4100, 4100)
    assert len(flooder.received) < 2000
    assert (await other.subscribe(live_cast.ticket.channel))["event"] == SUCCEEDED
    assert [socket.sign_in.user_id for socket in hub.here().sockets] == [str(live_cast.bao.pk)]


@every_kind
async def test_socket_has_at_most_a_hundred_channels(live_cast: Cast) -> None:
    greedy = await connect()
    for number in range(limits.MAX_SUBSCRIPTIONS + 20):
        await greedy.send("pusher:subscribe", channel=f"talk.{number}", auth="")
    events = [frame["event"] for frame in await answers(greedy)]
    assert (events.count(SUCCEEDED), events.count(REFUSED)) == (limits.MAX_SUBSCRIPTIONS, 20)
    assert len(hub.here().list_sockets()[0].channels) == limits.MAX_SUBSCRIPTIONS


FORBIDDEN = ["#server-to-user-", "#server-to-user-{ada}", "private-user.{casey}"]
FORBIDDEN += [
    kind + "tickets.{ticket}"
    for kind in ("", "cache-", "private-cache-", "private-encrypted-", "private-encrypted-cache-", "presence-cache-")
]
FORBIDDEN += [
    "private-",
    "presence-",
    "private-tickets.",
    "private-tickets.{ticket}.",
    "private-private-tickets.{ticket}",
]
FORBIDDEN += [
    "private-office.01x",
    "private-office.99999999999999999999",
    "privatetickets.{ticket}",
    "presence-user.{ada}",
]
UNNAMEABLE = [
    "#presence",
    "#recheck",
    "#tell",  # codespell:ignore tell
    "",
    " ",
    "private-tickets.{ticket}\n",
    "private-tickets.{ticket}\x00",
    "a/b",
    "\u00e9",
    "x" * 165,
]


async def test_unlisted_channel_is_refused(live_cast: Cast) -> None:
    ada, people = await connect(live_cast.ada), {"ada": live_cast.ada.pk, "casey": live_cast.casey.pk}
    for form in FORBIDDEN:
        name = form.format(ticket=live_cast.ticket.uuid, **people)
        assert (await ada.subscribe(name))["event"] == REFUSED, name
    for form in UNNAMEABLE:
        await ada.send("pusher:subscribe", channel=form.format(ticket=live_cast.ticket.uuid), auth="")
        assert await codes(ada) == [4200], form
    assert (await ada.subscribe(str(live_cast.ticket.channel).upper()))["event"] == REFUSED
    assert (await ada.subscribe(live_cast.ticket.channel))["event"] == SUCCEEDED


# -- Client events


async def test_client_event_after_a_revocation_is_not_forwarded(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, casey = await subscribe(live_cast.bao, channel), await subscribe(live_cast.casey, channel)
    await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"office": live_cast.orders})
    await bao.event(REFUSED)
    await send_client_event(bao, "client-typing", channel, {})
    assert await codes(bao) == [4301]
    await casey.event("ticket.updated")
    assert await casey.receives_nothing(channel)


async def test_client_event_after_session_expiry_is_not_forwarded(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    casey, bao = await subscribe(live_cast.casey, channel), await subscribe(live_cast.bao, channel)
    await send_client_event(casey, "client-typing", channel, {})
    await bao.event("client-typing")
    await do(expire, live_cast.casey, timezone.now())
    await send_client_event(casey, "client-typing", channel, {})
    assert await answers(casey) == []
    assert await bao.receives_nothing(channel)


# -- Handshakes


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/app/TIKM?protocol=7", 4001),
        ("/app/%00?protocol=7", 4001),
        ("/app/tikm/?protocol=7", 4005),
        ("/app/", 4005),
        ("/app/tikm?version=8.6.0%0a", 4006),
        ("/app/tikm?version=" + "9" * 41, 4006),
        ("/app/tikm?protocol=0", 4007),
        ("/app/tikm?protocol=999", 4007),
    ],
)
async def test_wrong_path_or_version_is_closed_with_its_code(path: str, code: int) -> None:
    assert await ended(await open_socket(path=path)) == (code, code)


@pytest.mark.parametrize("connection", ["null", "log"])
async def test_socket_is_refused_while_broadcasting_is_off(settings: Settings, connection: str) -> None:
    settings.REALTIME = {**settings.REALTIME, "CONNECTION": connection}
    assert await ended(await open_socket()) == (4003, 4003)
    assert await ended(await open_socket(path="/app/wrong")) == (4001, 4001)


FOREIGN = [
    "http://testserver@evil.example",
    "http://evil.example/testserver",
    "http://testserver.",
    "file://",
    "testserver",
]
FOREIGN += [
    "//evil.example",
    "http://evil.example#testserver",
    "http://[::1",
    "http://testserver:80",
    "x" * 5000,
    "\u00e9",
]


async def test_cross_origin_site_cannot_use_a_cookie(live_cast: Cast) -> None:
    for origin in FOREIGN:
        assert await ended(await open_socket(live_cast.casey, origin=origin)) == (4009, 4009), origin
    assert not hub.here().sockets
    assert (await connect(live_cast.casey)).socket_id


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "sessionid=" + "a" * 60_000},
        {"cookie": "; ".join(f"c{number}=x" for number in range(5000))},
        {"cookie": "sessionid=\xff\xfe; sessionid=../../etc"},
        {"authorization": "Bearer " + "x" * 60_000},
        {"authorization": "Bearer \x00"},
        {"x-" + "y" * 5000: "z"},
    ],
)
async def test_oversized_headers_are_anonymous(live_cast: Cast, headers: dict[str, str]) -> None:
    listener = await connect(**headers)
    assert (await listener.subscribe(live_cast.ticket.channel))["event"] == REFUSED


# -- Too many, too long


@pytest.mark.usefixtures("_every_kind")
async def test_anonymous_socket_without_subscriptions_is_closed(live_cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "ACTIVITY_TIMEOUT": 600, "AUTHENTICATION_TIMEOUT": 30}
    idle, listening, person = await connect(), await connect(), await connect(live_cast.casey)
    assert (await idle.subscribe("private-room.a"))["event"] == REFUSED
    assert (await listening.subscribe("news"))["event"] == SUCCEEDED
    for socket in tuple(hub.here().sockets):
        socket.sweep(time.monotonic() + 31)
    assert await ended(idle) == (4009, 4009)
    assert await answers(person) == []
    await listening.event("pusher_internal:subscription_count")
    assert await answers(listening) == []


@every_kind
async def test_anonymous_socket_stays_by_default(live_cast: Cast, settings: Settings) -> None:
    """As at Pusher: a client may receive its token, and join its first channel, long after it has connected."""
    settings.REALTIME = {**settings.REALTIME, "ACTIVITY_TIMEOUT": 10**6}
    guest = await connect()
    for seconds in (31, 40, 24 * 3600):
        for socket in tuple(hub.here().sockets):
            socket.sweep(time.monotonic() + seconds)
    assert await answers(guest) == []
    assert (await guest.subscribe("news"))["event"] == SUCCEEDED


async def test_anonymous_connections_of_an_address_are_limited(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS", 2)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    held = [await connect(address=ELSEWHERE) for _ in range(2)]
    assert await ended(await open_socket(address=ELSEWHERE)) == (4100, 4100)
    assert (await connect(live_cast.casey, address=ELSEWHERE)).socket_id
    assert (await connect(address="203.0.113.8")).socket_id
    for address in ("127.0.0.1", "::1", ""):  # a proxy on this machine, or on a Unix socket
        assert [await connect(address=address) for _ in range(3)]
    await held[0].close()
    assert (await connect(address=ELSEWHERE)).socket_id


async def test_user_connects_while_many_are_still_unauthenticated(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    _early = await connect(address=ELSEWHERE)
    monkeypatch.setattr(limits, "MAX_ANONYMOUS_CONNECTIONS_PER_ADDRESS", 0)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    assert await ended(await open_socket(address=ELSEWHERE)) == (4100, 4100)
    assert (await connect(live_cast.casey, address=ELSEWHERE)).socket_id


async def test_connections_of_an_address_are_limited(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_ADDRESS", 2)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    _held = [await connect(person, address=ELSEWHERE) for person in (live_cast.casey, live_cast.bao)]
    assert await ended(await open_socket(live_cast.greta, address=ELSEWHERE)) == (4100, 4100)
    assert (await connect(live_cast.greta, address="203.0.113.8")).socket_id


async def by_sign_in(listener: SocketClient, user_id: str) -> None:
    await listener.send("pusher:signin", **user_data(listener, user_id))


async def by_signature(listener: SocketClient, user_id: str) -> None:
    await listener.send("pusher:subscribe", channel=ROOM, **signed(listener, ROOM, user_id))


@every_kind
@pytest.mark.parametrize("introduce", [by_sign_in, by_signature])
async def test_connections_of_a_user_are_limited_for_all_credentials(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch, introduce: Callable[[SocketClient, str], Any]
) -> None:
    monkeypatch.setattr(limits, "MAX_CONNECTIONS_PER_USER", 1)
    monkeypatch.setattr(limits, "ADMISSION_RETRIES", ())
    first, second, other = [await connect(origin=None) for _ in range(3)]
    await introduce(first, str(live_cast.casey.pk))
    assert await codes(first) == []
    await introduce(second, str(live_cast.casey.pk))
    assert await ended(second) == (4101, 4101)
    await introduce(other, str(live_cast.bao.pk))
    assert await codes(other) == []


@every_kind
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
async def test_full_presence_channel_refuses_every_user_id(settings: Settings, names: tuple[str, str]) -> None:
    settings.REALTIME = {**settings.REALTIME, "MAX_MEMBERS_PER_CHANNEL": 1}
    first, second = await connect(origin=None), await connect(origin=None)
    assert (await first.subscribe(ROOM, **signed(first, ROOM, names[0])))["event"] == SUCCEEDED
    assert (await second.subscribe(ROOM, **signed(second, ROOM, names[1])))["event"] == REFUSED


async def test_wrong_secret_cannot_sign_in(live_cast: Cast) -> None:
    key = str(live_cast.casey.pk)
    for secret in ("", "tikm", SECRET[:-1], SECRET + " "):
        listener = await connect(origin=None)
        await listener.send("pusher:signin", **user_data(listener, key, secret))
        assert await ended(listener) == (4009, 4009)
    other, listener = await connect(origin=None), await connect(origin=None)
    await listener.send("pusher:signin", **user_data(other, key))
    assert await ended(listener) == (4009, 4009)
    await sign_in(other, key)
