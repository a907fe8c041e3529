"""What is committed is told, once, whatever the channel layer does; what is rolled back was never told."""

import asyncio
import json
import re
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from realtime.broadcasting import cursors, event_log, history
from realtime.broadcasting.events import Event, ForChannel, OnlyAudience, PayloadTooLarge
from realtime.broadcasting.publish import publish
from realtime.channels import Audience
from realtime.models import Broadcast, Delivery, Receipt
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.sockets import Fence, Listener, do, listen
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)


async def heard_once(listener: Listener, channel: str, message: str) -> bool:
    """Say whether the next reply is `message`, and nothing follows it."""
    reply = (await listener.event("ticket.reply.created"))["reply"]
    await hub.here().log_tailer.read()
    return reply["message"] == message and await listener.hears_nothing(channel)


async def test_what_is_rolled_back_is_heard_by_nobody(live_cast: Cast) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)

    def fail() -> None:
        with transaction.atomic():
            live_cast.reply(live_cast.bao, "Never")
            transaction.set_rollback(True)

    await do(fail)
    await hub.here().log_tailer.read()
    assert await listener.hears_nothing(live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Really")
    assert await heard_once(listener, live_cast.ticket.channel, "Really")


async def test_a_group_send_that_fails_is_made_good_by_the_tail(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)

    async def fail(*_: Any) -> None:
        raise ConnectionError("no Redis")

    with monkeypatch.context() as broken:
        broken.setattr(InMemoryChannelLayer, "group_send", fail)
        await do(live_cast.reply, live_cast.bao, "Told all the same")
        await listener.event("ticket.reply.created")
    assert await listener.hears_nothing(live_cast.ticket.channel)


async def test_a_message_that_the_layer_swallows_is_made_good_by_the_tail(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)

    async def swallow(*_: Any) -> None:
        return None

    with monkeypatch.context() as broken:
        broken.setattr(InMemoryChannelLayer, "group_send", swallow)
        await do(live_cast.reply, live_cast.bao, "First")
        await do(live_cast.reply, live_cast.bao, "Second")
        assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "First"
        assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "Second"
    assert await listener.hears_nothing(live_cast.ticket.channel)


async def test_the_layer_tells_long_before_the_tail_reads(live_cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    listener = await listen(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "At once")
    assert await heard_once(listener, live_cast.ticket.channel, "At once")


async def test_layer_and_tail_together_tell_once(live_cast: Cast) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Once")
    await hub.here().log_tailer.read()
    assert await heard_once(listener, live_cast.ticket.channel, "Once")


async def test_a_message_that_the_layer_brings_late_is_not_told_again(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)
    late: list[tuple[str, dict]] = []
    send = InMemoryChannelLayer.group_send

    async def keep(_self: Any, group: str, message: dict) -> None:
        late.append((group, message))

    with monkeypatch.context() as slow:
        slow.setattr(InMemoryChannelLayer, "group_send", keep)
        await do(live_cast.reply, live_cast.bao, "Slow")
        await listener.event("ticket.reply.created")
    assert late
    for group, message in late:
        await send(hub.here().layer, group, message)
    assert await listener.hears_nothing(live_cast.ticket.channel)


async def test_a_layer_that_forgot_this_process_is_joined_again(live_cast: Cast) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)
    here = hub.here()
    here.layer.groups.clear()
    await do(live_cast.reply, live_cast.bao, "By the tail")
    assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "By the tail"
    await here.resync_groups()
    assert here.fan_out.groups.keys() <= here.layer.groups.keys()


async def test_groups_that_nobody_hears_are_left(live_cast: Cast) -> None:
    listener, here = await listen(live_cast.casey, live_cast.ticket.channel), hub.here()
    group = f"public.{live_cast.ticket.channel}"
    assert group in here.layer.groups
    await listener.close()
    await here.resync_groups()
    assert group not in here.layer.groups
    assert group not in here.fan_out.groups


async def test_two_hundred_replies_at_once_arrive_in_order(live_cast: Cast) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)

    def burst() -> None:
        for number in range(200):
            live_cast.reply(live_cast.bao, str(number))

    await do(burst)
    heard = [(await listener.event("ticket.reply.created"))["reply"]["message"] for _ in range(200)]
    assert heard == [str(number) for number in range(200)]


async def test_a_receipt_says_how_many_sockets_were_told(live_cast: Cast) -> None:
    told = [await listen(person, live_cast.ticket.channel) for person in (live_cast.casey, live_cast.bao)]
    broadcast = await do(publish, Fence(live_cast.ticket.channel), receipt=True)
    await hub.here().log_tailer.read()
    await hub.here().log_tailer.read()
    receipts = await do(lambda: [(r.broadcast_id, r.sockets) for r in Receipt.objects.all()])
    assert receipts == [(broadcast.pk, len(told))]


async def test_the_tail_survives_a_database_that_is_away(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await listen(live_cast.casey, live_cast.ticket.channel)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away(_position: int) -> Any:
        loop.call_soon_threadsafe(asked.set)
        raise ConnectionError("no database")

    async def swallow(*_: Any) -> None:
        return None

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", swallow)
    with monkeypatch.context() as broken:
        broken.setattr(event_log, "read_since", away)
        await do(live_cast.reply, live_cast.bao, "Later")
        await asyncio.wait_for(asked.wait(), 3)
    assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "Later"


def test_only_what_committed_is_in_the_history(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.casey)
    channel = live_cast.ticket.channel
    start = client.get("/broadcasting/history", {"channel": channel}).json()
    assert start == {"events": [], "cursor": start["cursor"], "reset": False}
    live_cast.reply(live_cast.bao, "Told")
    answer = client.get("/broadcasting/history", {"channel": channel, "since": start["cursor"]}).json()
    assert [event["data"]["reply"]["message"] for event in answer["events"]] == ["Told"]
    again = client.get("/broadcasting/history", {"channel": channel, "since": answer["cursor"]}).json()
    assert again["events"] == []


def test_an_event_on_two_channels_is_in_the_history_once(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.bao)
    channels = [live_cast.ticket.channel, live_cast.billing.channel]
    start = client.get("/broadcasting/history", {"channel": channels}).json()["cursor"]
    live_cast.reply(live_cast.casey, "Hello?")
    response = client.get("/broadcasting/history", {"channel": channels, "since": start})
    assert len(response.json()["events"]) == 1
    assert "no-store" in response["Cache-Control"]


def test_who_lost_a_ticket_is_not_told_its_past_again(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.bao)
    channels = [live_cast.billing.channel]
    start = client.get("/broadcasting/history", {"channel": channels}).json()["cursor"]
    live_cast.reply(live_cast.dana, "Secret note", internal=True)
    before = client.get("/broadcasting/history", {"channel": channels, "since": start}).json()
    services.update_ticket(live_cast.ticket, by=live_cast.bao, values={"office": live_cast.orders})
    after = client.get("/broadcasting/history", {"channel": channels, "since": start}).json()
    assert "Secret note" in json.dumps(before)
    assert [event["event"] for event in after["events"]] == ["ticket.withdrawn"]


def test_a_log_that_no_longer_reaches_back_says_reset(live_cast: Cast) -> None:
    start = history.current_cursor()
    live_cast.reply(live_cast.bao, "Old")
    assert not history.read(live_cast.casey, [live_cast.ticket.channel], start).reset
    Broadcast.objects.update(created_at="2020-01-01T00:00Z")
    out = StringIO()
    call_command("prune_broadcasts", stdout=out)
    assert re.fullmatch(r"[1-9]\d* broadcasts deleted.\n", out.getvalue())
    assert history.read(live_cast.casey, [live_cast.ticket.channel], start).reset
    assert not Delivery.objects.exists()
    now = history.current_cursor()
    live_cast.reply(live_cast.bao, "New")
    assert len(history.read(live_cast.casey, [live_cast.ticket.channel], now).events) == 1


def test_an_answer_behind_many_notes_reaches_the_customer(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.limits.MAX_HISTORY_EVENTS", 3)
    start, channel = history.current_cursor(), live_cast.ticket.channel
    for _ in range(8):
        live_cast.reply(live_cast.bao, "Note", internal=True)
    live_cast.reply(live_cast.bao, "Answer")
    answer = history.read(live_cast.casey, [channel], start)
    assert [event["data"]["reply"]["message"] for event in answer.events] == ["Answer"]
    assert not answer.reset
    assert history.read(live_cast.bao, [channel], start).reset


@pytest.mark.parametrize("cursor", ["", "1", "nonsense", "7\x00", "ü", "f" * 5000])
def test_a_cursor_that_is_not_ours_says_reset(live_cast: Cast, client: Client, cursor: str) -> None:
    client.force_login(live_cast.casey)
    query = {"channel": live_cast.ticket.channel, "since": cursors}
    answer = client.get("/broadcasting/history", query).json()
    assert (answer["reset"], answer["events"]) == (True, [])
    query["since"] = answer["cursor"]
    assert client.get("/broadcasting/history", query).json()["reset"] is False


def test_a_cursor_from_another_databases_future_says_reset(live_cast: Cast) -> None:
    future = cursors.encode_cursor(event_log.watermark() + 1)
    assert history.read(live_cast.casey, [live_cast.ticket.channel], future).reset


def test_a_cursor_tells_nobody_how_much_was_written(live_cast: Cast) -> None:
    before = history.current_cursor()
    live_cast.reply(live_cast.bao, "Note", internal=True)
    after = history.current_cursor()
    assert len(before) == len(after)
    assert before[:4] == after[:4]  # the format; the rest is noise
    assert before != history.current_cursor()


def test_the_history_asks_about_many_tickets_as_quickly_as_about_few(
    live_cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(live_cast.bao)
    query = {"channel": live_cast.billing.channel, "since": history.current_cursor()}
    for number in range(30):
        services.open_ticket(by=live_cast.casey, subject=f"{number}", content="x", office=live_cast.billing)
    with django_assert_num_queries(9):
        assert len(client.get("/broadcasting/history", query).json()["events"]) == 30


def test_more_than_a_page_can_take_says_reset(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.limits.MAX_HISTORY_EVENTS", 3)
    start = history.current_cursor()
    for _ in range(3):
        live_cast.reply(live_cast.bao, "Fine")
    assert len(history.read(live_cast.casey, [live_cast.ticket.channel], start).events) == 3
    live_cast.reply(live_cast.bao, "Too many")
    assert history.read(live_cast.casey, [live_cast.ticket.channel], start).reset


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"channel": ["private-user.x"] * 2}, 403),
        ({"channel": [f"private-office.{n}" for n in range(21)]}, 400),
    ],
)
def test_a_malformed_question_gets_a_clear_answer(live_cast: Cast, client: Client, query: dict, status: int) -> None:
    client.force_login(live_cast.casey)
    response = client.get("/broadcasting/history", query)
    assert response.status_code == status
    assert response.json()["detail"]


def test_a_flood_of_questions_is_slowed_down(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.casey)
    answers = [client.get("/broadcasting/history", {"channel": live_cast.casey.channel}) for _ in range(121)]
    assert answers[119].status_code == 200
    assert (answers[120].status_code, answers[120]["Retry-After"]) == (429, "60")
    client.force_login(live_cast.greta)
    assert client.get("/broadcasting/history", {"channel": live_cast.greta.channel}).status_code == 200


@dataclass(frozen=True)
class Huge(Fence):
    """Says too much."""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        return {"text": "é" * 6000}


@dataclass(frozen=True)
class Aside(Fence):
    """Is said to customers alone."""

    def broadcast_to(self) -> OnlyAudience:
        return OnlyAudience(Audience.PUBLIC)


def test_an_event_for_one_audience_alone_is_told_to_no_other(live_cast: Cast) -> None:
    start, channel = history.current_cursor(), live_cast.ticket.channel
    told = []
    for event in (Aside(channel), Fence(channel)):
        publish(event)
        told.append(
            [len(history.read(person, [channel], start).events) for person in (live_cast.casey, live_cast.bao)]
        )
    assert told == [[1, 0], [2, 1]]


def test_an_event_that_is_too_large_is_an_error_and_logs_nothing(live_cast: Cast) -> None:
    before = Broadcast.objects.count()
    with pytest.raises(PayloadTooLarge):
        publish(Huge(live_cast.ticket.channel))
    assert Broadcast.objects.count() == before


def test_an_event_must_say_to_whom() -> None:
    class Careless(Event):
        broadcast_as = "careless"

        def broadcast_on(self) -> list[str | ForChannel]:
            return []

        def broadcast_with(self, audience: Audience) -> dict[str, Any]:
            return {}

    with pytest.raises(TypeError, match="broadcast_to"):
        Careless()  # type: ignore[abstract]


@pytest.mark.parametrize(("connection", "lines"), [("log", 2), ("null", 0)])
def test_broadcasting_can_be_switched_off(
    live_cast: Cast, settings: Settings, caplog: pytest.LogCaptureFixture, connection: str, lines: int
) -> None:
    settings.REALTIME = {**settings.REALTIME, "CONNECTION": connection}
    before = Broadcast.objects.count()
    with caplog.at_level("INFO", logger="realtime.broadcasting.publish"):
        assert publish(Fence(live_cast.ticket.channel)) is None
    assert Broadcast.objects.count() == before
    assert len(caplog.records) == lines
