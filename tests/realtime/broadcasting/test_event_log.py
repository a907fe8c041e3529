"""The event log: committed events arrive once, whatever the channel layer does; rolled-back events never."""

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
from realtime.utils.snapshots import Snapshot
from tests.support.cast import Cast
from tests.support.sockets import Barrier, SocketClient, do, subscribe
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)


async def received_once(listener: SocketClient, channel: str, message: str) -> bool:
    """Return whether the next reply is `message`, and nothing follows it."""
    reply = (await listener.event("ticket.reply.created"))["reply"]
    await hub.here().log_tailer.read()
    return reply["message"] == message and await listener.receives_nothing(channel)


async def test_rolled_back_event_is_not_delivered(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)

    def fail() -> None:
        with transaction.atomic():
            live_cast.reply(live_cast.bao, "Never")
            transaction.set_rollback(True)

    await do(fail)
    await hub.here().log_tailer.read()
    assert await listener.receives_nothing(live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Really")
    assert await received_once(listener, live_cast.ticket.channel, "Really")


async def test_log_tailer_delivers_after_a_failed_send(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)

    async def fail(*_: Any) -> None:
        raise ConnectionError("no Redis")

    with monkeypatch.context() as broken:
        broken.setattr(InMemoryChannelLayer, "group_send", fail)
        await do(live_cast.reply, live_cast.bao, "Despite the error")
        await listener.event("ticket.reply.created")
    assert await listener.receives_nothing(live_cast.ticket.channel)


async def test_log_tailer_delivers_what_the_layer_lost(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)

    async def swallow(*_: Any) -> None:
        return None

    with monkeypatch.context() as broken:
        broken.setattr(InMemoryChannelLayer, "group_send", swallow)
        await do(live_cast.reply, live_cast.bao, "First")
        await do(live_cast.reply, live_cast.bao, "Second")
        assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "First"
        assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "Second"
    assert await listener.receives_nothing(live_cast.ticket.channel)


async def test_layer_delivers_before_the_log_tailer_reads(live_cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "At once")
    assert await received_once(listener, live_cast.ticket.channel, "At once")


async def test_layer_and_log_tailer_deliver_once(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Once")
    await hub.here().log_tailer.read()
    assert await received_once(listener, live_cast.ticket.channel, "Once")


async def test_late_message_of_the_layer_is_ignored(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)
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
    assert await listener.receives_nothing(live_cast.ticket.channel)


async def test_groups_are_joined_again_after_the_layer_lost_them(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)
    here = hub.here()
    here.layer.groups.clear()
    await do(live_cast.reply, live_cast.bao, "By the log tailer")
    assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "By the log tailer"
    await here.resync_groups()
    assert here.fan_out.groups.keys() <= here.layer.groups.keys()


async def test_groups_without_subscribers_are_left(live_cast: Cast) -> None:
    listener, here = await subscribe(live_cast.casey, live_cast.ticket.channel), hub.here()
    group = f"public.{live_cast.ticket.channel}"
    assert group in here.layer.groups
    await listener.close()
    await here.resync_groups()
    assert group not in here.layer.groups
    assert group not in here.fan_out.groups


@pytest.mark.usefixtures("_no_pings")
async def test_burst_of_replies_arrives_in_order(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)

    def burst() -> None:
        for number in range(200):
            live_cast.reply(live_cast.bao, str(number))

    await do(burst)
    received = [(await listener.event("ticket.reply.created"))["reply"]["message"] for _ in range(200)]
    assert received == [str(number) for number in range(200)]


async def test_receipt_counts_the_sockets(live_cast: Cast) -> None:
    sockets = [await subscribe(person, live_cast.ticket.channel) for person in (live_cast.casey, live_cast.bao)]
    broadcast = await do(publish, Barrier(live_cast.ticket.channel), receipt=True)
    await hub.here().log_tailer.read()
    await hub.here().log_tailer.read()
    receipts = await do(lambda: [(r.broadcast_id, r.sockets) for r in Receipt.objects.all()])
    assert receipts == [(broadcast.pk, len(sockets))]


async def test_log_tailer_survives_an_unavailable_database(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = await subscribe(live_cast.casey, live_cast.ticket.channel)
    attempted = asyncio.Event()
    loop = asyncio.get_running_loop()

    def away(_snapshot: Snapshot) -> Any:
        loop.call_soon_threadsafe(attempted.set)
        raise ConnectionError("no database")

    async def swallow(*_: Any) -> None:
        return None

    monkeypatch.setattr(InMemoryChannelLayer, "group_send", swallow)
    with monkeypatch.context() as broken:
        broken.setattr(event_log, "read_since", away)
        await do(live_cast.reply, live_cast.bao, "Later")
        await asyncio.wait_for(attempted.wait(), 3)
    assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "Later"


def test_history_contains_committed_events_once(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.casey)
    channel = live_cast.ticket.channel
    start = client.get("/broadcasting/history", {"channel": channel}).json()
    assert start == {"events": [], "cursor": start["cursor"], "reset": False}
    live_cast.reply(live_cast.bao, "Committed")
    answer = client.get("/broadcasting/history", {"channel": channel, "since": start["cursor"]}).json()
    assert [event["data"]["reply"]["message"] for event in answer["events"]] == ["Committed"]
    again = client.get("/broadcasting/history", {"channel": channel, "since": answer["cursor"]}).json()
    assert again["events"] == []


def test_history_contains_an_event_on_two_channels_once(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.bao)
    channels = [live_cast.ticket.channel, live_cast.billing.channel]
    start = client.get("/broadcasting/history", {"channel": channels}).json()["cursor"]
    live_cast.reply(live_cast.casey, "Hello?")
    response = client.get("/broadcasting/history", {"channel": channels, "since": start})
    assert len(response.json()["events"]) == 1
    assert "no-store" in response["Cache-Control"]


def test_history_omits_events_of_a_lost_ticket(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.bao)
    channels = [live_cast.billing.channel]
    start = client.get("/broadcasting/history", {"channel": channels}).json()["cursor"]
    live_cast.reply(live_cast.dana, "Secret note", internal=True)
    before = client.get("/broadcasting/history", {"channel": channels, "since": start}).json()
    services.update_ticket(live_cast.ticket, by=live_cast.bao, values={"office": live_cast.orders})
    after = client.get("/broadcasting/history", {"channel": channels, "since": start}).json()
    assert "Secret note" in json.dumps(before)
    assert [event["event"] for event in after["events"]] == ["ticket.withdrawn"]


def test_history_resets_after_pruning(live_cast: Cast) -> None:
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


def test_notes_do_not_count_toward_a_customers_history_limit(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.limits.MAX_HISTORY_EVENTS", 3)
    start, channel = history.current_cursor(), live_cast.ticket.channel
    for _ in range(8):
        live_cast.reply(live_cast.bao, "Note", internal=True)
    live_cast.reply(live_cast.bao, "Answer")
    answer = history.read(live_cast.casey, [channel], start)
    assert [event["data"]["reply"]["message"] for event in answer.events] == ["Answer"]
    assert not answer.reset
    assert history.read(live_cast.bao, [channel], start).reset


def test_cursor_beyond_the_present_resets(live_cast: Cast) -> None:
    future = cursors.encode_cursor(Snapshot(event_log.current_snapshot().end + 1))
    assert history.read(live_cast.casey, [live_cast.ticket.channel], future).reset


def test_cursor_does_not_reveal_the_position(live_cast: Cast) -> None:
    before = history.current_cursor()
    live_cast.reply(live_cast.bao, "Note", internal=True)
    after = history.current_cursor()
    assert len(before) == len(after)
    assert before[:4] == after[:4]  # the format; the rest is noise
    assert before != history.current_cursor()


def test_history_needs_constant_queries_for_many_tickets(
    live_cast: Cast, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(live_cast.bao)
    query = {"channel": live_cast.billing.channel, "since": history.current_cursor()}
    for number in range(30):
        services.open_ticket(by=live_cast.casey, subject=f"{number}", content="x", office=live_cast.billing)
    with django_assert_num_queries(9):
        assert len(client.get("/broadcasting/history", query).json()["events"]) == 30


def test_history_over_the_limit_resets(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ({"channel": ["private-user.x"] * 2}, 400),
        ({"channel": [f"private-office.{n}" for n in range(21)]}, 400),
    ],
)
def test_malformed_history_request_is_explained(live_cast: Cast, client: Client, query: dict, status: int) -> None:
    client.force_login(live_cast.casey)
    response = client.get("/broadcasting/history", query)
    assert response.status_code == status
    assert response.json()["detail"]


def test_history_requests_are_rate_limited(live_cast: Cast, client: Client) -> None:
    client.force_login(live_cast.casey)
    answers = [client.get("/broadcasting/history", {"channel": live_cast.casey.channel}) for _ in range(121)]
    assert answers[119].status_code == 200
    assert (answers[120].status_code, answers[120]["Retry-After"]) == (429, "60")
    client.force_login(live_cast.greta)
    assert client.get("/broadcasting/history", {"channel": live_cast.greta.channel}).status_code == 200


@dataclass(frozen=True)
class Huge(Barrier):
    """An event over the size limit."""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        return {"text": "é" * 6000}


@dataclass(frozen=True)
class ForCustomers(Barrier):
    """An event for customers only."""

    def broadcast_to(self) -> OnlyAudience:
        return OnlyAudience(Audience.PUBLIC)


def test_event_for_only_customers_is_not_sent_to_staff(live_cast: Cast) -> None:
    start, channel = history.current_cursor(), live_cast.ticket.channel
    counts = []
    for event in (ForCustomers(channel), Barrier(channel)):
        publish(event)
        counts.append(
            [len(history.read(person, [channel], start).events) for person in (live_cast.casey, live_cast.bao)]
        )
    assert counts == [[1, 0], [2, 1]]


def test_too_large_event_raises_and_logs_nothing(live_cast: Cast) -> None:
    before = Broadcast.objects.count()
    with pytest.raises(PayloadTooLarge):
        publish(Huge(live_cast.ticket.channel))
    assert Broadcast.objects.count() == before


def test_event_without_audience_cannot_be_created() -> None:
    class Careless(Event):
        broadcast_as = "careless"

        def broadcast_on(self) -> list[str | ForChannel]:
            return []

        def broadcast_with(self, audience: Audience) -> dict[str, Any]:
            return {}

    with pytest.raises(TypeError, match="broadcast_to"):
        Careless()  # type: ignore[abstract]


@pytest.mark.parametrize(("connection", "lines"), [("log", 2), ("null", 0)])
def test_other_connections_log_no_event(
    live_cast: Cast, settings: Settings, caplog: pytest.LogCaptureFixture, connection: str, lines: int
) -> None:
    settings.REALTIME = {**settings.REALTIME, "CONNECTION": connection}
    before = Broadcast.objects.count()
    with caplog.at_level("INFO", logger="realtime.broadcasting.publish"):
        assert publish(Barrier(live_cast.ticket.channel)) is None
    assert Broadcast.objects.count() == before
    assert len(caplog.records) == lines
