"""Channels of every kind, client events, and signing in: on a server whose patterns allow them."""

import json
from typing import Any

import pytest

from accounts.models import User
from realtime import limits, protocol
from realtime.broadcasting.ephemeral import broadcast_now, disconnect
from realtime.broadcasting.publish import publish
from tests.support.cast import Cast
from tests.support.clients.signed_clients import SECRET, SUCCEEDED, send_client_event, sign_in, signed, user_data
from tests.support.sockets import Barrier, connect, do, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


every_kind = pytest.mark.usefixtures("_every_kind")


# -- Public channels


@every_kind
async def test_public_channel_sends_events_and_the_subscription_count() -> None:
    first = await connect()
    assert (await first.subscribe("news"))["event"] == SUCCEEDED
    assert await first.event("pusher_internal:subscription_count") == {"subscription_count": 1}
    second = await connect()
    await second.subscribe("news")
    assert await first.event("pusher_internal:subscription_count") == {"subscription_count": 2}
    await do(broadcast_now, ["news"], "flash", '{"a":1}')
    assert await first.event("flash") == await second.event("flash") == {"a": 1}


@every_kind
async def test_event_skips_the_socket_that_caused_it() -> None:
    speaker, other = await connect(), await connect()
    for listener in (speaker, other):
        await listener.subscribe("talk.garden")
    await do(broadcast_now, ["talk.garden"], "said", '"Hello"', except_socket=speaker.socket_id)
    assert await other.event("said") == "Hello"
    assert await speaker.receives_nothing("talk.garden")


@every_kind
async def test_private_channel_sends_no_subscription_count(live_cast: Cast) -> None:
    first = await subscribe(live_cast.casey, "private-room.a")
    await subscribe(live_cast.bao, "private-room.a")
    assert await first.receives_nothing("private-room.a")


@every_kind
@pytest.mark.parametrize("channel", ["secret", "cache-news", "private-news", "presence-news", "private-cache-room.a"])
async def test_channel_prefix_selects_the_pattern(live_cast: Cast, channel: str) -> None:
    socket = await connect(live_cast.ada)
    assert (await socket.subscribe(channel))["event"] == "pusher:subscription_error"


# -- Cache channels


@every_kind
async def test_cache_channel_sends_the_last_event_to_a_new_subscriber(live_cast: Cast) -> None:
    first = await connect()
    await first.subscribe("cache-weather")
    await first.event("pusher:cache_miss")
    await do(broadcast_now, ["cache-weather"], "rain", '{"mm":3}')
    await do(broadcast_now, ["cache-weather"], "rain", '{"mm":4}')
    second = await connect()
    await second.subscribe("cache-weather")
    assert await second.event("rain") == {"mm": 4}


@every_kind
async def test_cache_channel_remembers_events_of_the_log(live_cast: Cast) -> None:
    await do(publish, Barrier("private-cache-forecast"))
    socket = await subscribe(live_cast.casey, "private-cache-forecast")
    assert (await socket.event("test.fence")).keys() == {"event_id", "timestamp"}


# -- Signed guests, encrypted channels


@every_kind
async def test_signature_authorizes_a_guest_where_the_pattern_allows_it() -> None:
    guest = await connect(origin=None)
    assert (await guest.subscribe("private-room.a"))["event"] == "pusher:subscription_error"
    answer = await guest.subscribe("private-room.a", **signed(guest, "private-room.a"))
    assert answer["event"] == SUCCEEDED


@every_kind
async def test_guest_member_has_the_signed_data(live_cast: Cast) -> None:
    guest, channel = await connect(origin=None), "presence-room.a"
    host = await subscribe(live_cast.casey, channel)
    answer = await guest.subscribe(channel, **signed(guest, channel, 7, name="Zed"))
    assert answer["data"]["presence"]["hash"]["7"] == {"name": "Zed"}
    assert await host.event("pusher_internal:member_added") == {"user_id": 7, "user_info": {"name": "Zed"}}


@every_kind
@pytest.mark.parametrize("data", ["", "[]", "{}", '{"user_id":""}', '{"user_id":"' + "x" * 200 + '"}'])
async def test_presence_channel_requires_channel_data(data: str) -> None:
    guest, channel = await connect(origin=None), "presence-room.a"
    auth = protocol.channel_auth("tikm", SECRET, guest.socket_id, channel, data)
    answer = await guest.subscribe(channel, auth=auth, channel_data=data)
    assert answer["event"] == "pusher:subscription_error"


@every_kind
async def test_encrypted_channel_passes_data_unchanged() -> None:
    guest, channel = await connect(origin=None), "private-encrypted-vault"
    assert (await guest.subscribe(channel, **signed(guest, channel)))["event"] == SUCCEEDED
    sealed = '{"nonce":"bm9uY2U=","ciphertext":"c2VjcmV0"}'
    await do(broadcast_now, [channel], "deal", sealed)
    assert await guest.event("deal") == json.loads(sealed)
    await send_client_event(guest, "client-hello", channel, {})
    assert (await guest.event("pusher:error"))["code"] == 4301


# -- Client events


@every_kind
async def test_client_event_names_its_sender_on_a_presence_channel(live_cast: Cast) -> None:
    channel = "presence-room.a"
    speaker, other = await subscribe(live_cast.casey, channel), await subscribe(live_cast.bao, channel)
    await send_client_event(speaker, "client-wave", channel, {"at": "all"})
    while (frame := await other.frame())["event"] != "client-wave":
        pass
    assert (frame["data"], frame["user_id"]) == ({"at": "all"}, str(live_cast.casey.pk))
    await speaker.event("pusher_internal:member_added")
    assert await speaker.receives_nothing(channel)


async def test_typing_event_has_the_servers_payload(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, casey = await subscribe(live_cast.bao, channel), await subscribe(live_cast.casey, channel)
    await send_client_event(bao, "client-typing", channel, {"name": "Ada Admin", "note": "Refund?"})
    expected = {"user": {"id": str(live_cast.bao.pk), "name": "Bao Nguyen", "role": "agent"}}
    assert await casey.event("client-typing") == expected


@pytest.mark.parametrize("event", ["client-replying", "client-viewing", "client-noting"])
async def test_staff_activity_reaches_staff_alone(live_cast: Cast, event: str) -> None:
    bao = await subscribe(live_cast.bao, live_cast.ticket.presence_channel)
    dana = await subscribe(live_cast.dana, live_cast.ticket.presence_channel)
    casey = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await send_client_event(bao, event, live_cast.ticket.presence_channel, {})
    assert (await dana.event(event))["user"]["name"] == "Bao Nguyen"
    await send_client_event(bao, event, live_cast.ticket.channel, {})
    assert (await bao.event("pusher:error"))["code"] == 4301
    assert await casey.receives_nothing(live_cast.ticket.channel)


async def test_client_event_requires_a_subscription(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, greta = await subscribe(live_cast.bao, channel), await connect(live_cast.greta)
    await send_client_event(greta, "client-typing", channel, {})
    assert (await greta.event("pusher:error"))["code"] == 4301
    assert await bao.receives_nothing(channel)


async def test_client_events_are_rate_limited(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CLIENT_EVENT_RATE", 1)
    channel = live_cast.ticket.channel
    casey, bao = await subscribe(live_cast.casey, channel), await subscribe(live_cast.bao, channel)
    for _ in range(5):
        await send_client_event(casey, "client-typing", channel, {})
    assert (await casey.event("pusher:error"))["code"] == 4301
    await bao.event("client-typing")


@every_kind
async def test_oversized_client_event_is_refused(live_cast: Cast) -> None:
    casey = await subscribe(live_cast.casey, "private-room.a")
    await send_client_event(casey, "client-wave", "private-room.a", "x" * limits.MAX_EVENT_SIZE)
    assert (await casey.event("pusher:error"))["code"] == 4301


# -- Signing in


async def test_signed_in_user_receives_user_events_and_authorized_channels(live_cast: Cast) -> None:
    casey, key = await connect(origin=None), str(live_cast.casey.pk)
    await sign_in(casey, key)
    await do(broadcast_now, [f"#server-to-user-{key}"], "greeting", '"Hello"')
    assert await casey.event("greeting") == "Hello"
    assert (await casey.subscribe(live_cast.ticket.channel))["event"] == SUCCEEDED
    assert (await casey.subscribe(live_cast.billing.channel))["event"] == "pusher:subscription_error"


async def test_user_channel_is_refused_to_other_users(live_cast: Cast) -> None:
    greta = await connect(live_cast.greta)
    answer = await greta.subscribe(f"#server-to-user-{live_cast.casey.pk}")
    assert answer["event"] == "pusher:subscription_error"
    await sign_in(greta, str(live_cast.greta.pk))
    answer = await greta.subscribe(f"#server-to-user-{live_cast.casey.pk}")
    assert answer["event"] == "pusher:subscription_error"


async def test_forged_sign_in_closes_the_connection(live_cast: Cast) -> None:
    listener = await connect()
    await listener.send("pusher:signin", **user_data(listener, str(live_cast.casey.pk), "another secret"))
    assert (await listener.event("pusher:error"))["code"] == 4009


async def test_connection_cannot_change_its_user(live_cast: Cast) -> None:
    bao = await connect(live_cast.bao)
    await bao.send("pusher:signin", **user_data(bao, str(live_cast.casey.pk)))
    assert (await bao.event("pusher:error"))["code"] == 4009


async def test_inactive_user_cannot_sign_in(live_cast: Cast) -> None:
    hiro = await connect()
    await hiro.send("pusher:signin", **user_data(hiro, str(live_cast.hiro.pk)))
    assert (await hiro.event("pusher:error"))["code"] == 4009


@pytest.mark.parametrize("data", ["", "[]", '{"id":7}', '{"id":""}', "{"])
async def test_user_data_without_an_id_is_malformed(data: str) -> None:
    listener = await connect()
    auth = protocol.user_auth("tikm", SECRET, listener.socket_id, data)
    await listener.send("pusher:signin", auth=auth, user_data=data)
    assert (await listener.event("pusher:error"))["code"] == 4200


async def test_watchlist_reports_users_online_and_offline(live_cast: Cast) -> None:
    bao, casey, greta = (str(person.pk) for person in (live_cast.bao, live_cast.casey, live_cast.greta))
    online = await connect(origin=None)
    await sign_in(online, casey)
    watcher = await connect(origin=None)
    await watcher.send("pusher:signin", **user_data(watcher, bao, watchlist=[casey, greta]))
    events = (await watcher.event("pusher_internal:watchlist_events"))["events"]
    assert events == [{"name": "online", "user_ids": [casey]}, {"name": "offline", "user_ids": [greta]}]
    late = await connect(origin=None)
    await sign_in(late, greta)
    events = (await watcher.event("pusher_internal:watchlist_events"))["events"]
    assert events == [{"name": "online", "user_ids": [greta]}]
    await late.send("pusher:unsubscribe", channel=f"#server-to-user-{greta}")
    events = (await watcher.event("pusher_internal:watchlist_events"))["events"]
    assert events == [{"name": "offline", "user_ids": [greta]}]


async def test_watchlist_length_is_limited(live_cast: Cast) -> None:
    listener = await connect()
    people = [str(number) for number in range(101)]
    await listener.send("pusher:signin", **user_data(listener, str(live_cast.bao.pk), watchlist=people))
    assert (await listener.event("pusher:error"))["code"] == 4302


async def test_user_or_socket_is_disconnected(live_cast: Cast) -> None:
    casey, bao, dana = [await connect(getattr(live_cast, name)) for name in ("casey", "bao", "dana")]
    await do(disconnect, users=[str(live_cast.casey.pk)], sockets=[bao.socket_id])
    for listener in (casey, bao):
        assert (await listener.event("pusher:error"))["code"] == 4009
        assert (await listener.frame())["code"] == 4009
    await dana.send("pusher:ping")
    assert (await dana.frame())["event"] == "pusher:pong"


# -- Bearer tokens


def token_of(person: User) -> tuple[Any, str]:
    from accounts.models import ApiToken

    return ApiToken.objects.create(user=person, name="Phone")


async def test_bearer_token_authenticates_until_it_expires(live_cast: Cast) -> None:
    token, secret = await do(token_of, live_cast.bao)
    phone = await connect(origin=None, authorization=f"Bearer {secret}")
    assert (await phone.subscribe(live_cast.ticket.channel))["event"] == SUCCEEDED
    control = await subscribe(live_cast.bao, live_cast.ticket.channel)
    await do(token.delete)
    assert (await phone.event("pusher:error"))["code"] == 4009
    await do(live_cast.reply, live_cast.casey, "Hello?")
    await control.event("ticket.reply.created")


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer \xff"])
async def test_invalid_token_is_anonymous_even_with_a_valid_cookie(live_cast: Cast, authorization: str) -> None:
    phone = await connect(live_cast.bao if "Bearer" in authorization else None, authorization=authorization)
    assert (await phone.subscribe(live_cast.ticket.channel))["event"] == "pusher:subscription_error"
