"""A page that has missed nothing learns it on its socket, from memory; one that may have missed something asks."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django import Settings

from realtime import protocol
from realtime.broadcasting import cursors, event_log, history
from realtime.channels import Audience
from realtime.models import Delivery
from realtime.protocol import close_codes
from realtime.server import hub, last_events, log_tailer
from realtime.server.last_events import LastEvents
from realtime.utils.snapshots import Snapshot
from tests.support.cast import Cast
from tests.support.page_model import PageSimulation, ask_missed
from tests.support.sockets import connect, do, subscribe

pytestmark = pytest.mark.django_db(transaction=True)
MAX_AGE = 600  # intervals of the tailer

TICKET, OFFICE = "private-tickets.1", "private-office.1"
GROUP, OTHER = f"public.{TICKET}", f"public.{OFFICE}"


def delivery(channel: str, position: int) -> Delivery:
    """Return a row of the log."""
    return Delivery(channel=channel, position=position, audience=Audience.PUBLIC, version=Audience.PUBLIC)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a read of the log stay current for longer than a busy machine needs for a question."""
    monkeypatch.setattr(log_tailer, "MAX_AGE", MAX_AGE)


@pytest.fixture
def known() -> LastEvents:
    """What a process knows that has read the log from its tenth position on."""
    found = LastEvents()
    found.start(Snapshot(25), 10, {GROUP: 20})
    return found


def test_group_has_no_events_since_its_last_one(known: LastEvents) -> None:
    assert known.has_no_events_since(Snapshot(21), [GROUP])
    assert known.has_no_events_since(Snapshot(10), [OTHER])
    assert not known.has_no_events_since(Snapshot(20), [GROUP])
    assert not known.has_no_events_since(Snapshot(20), [OTHER, GROUP])


def test_positions_before_the_first_known_are_unknown(known: LastEvents) -> None:
    assert not known.has_no_events_since(Snapshot(9), [OTHER])
    assert not LastEvents().has_no_events_since(Snapshot(10**9), [OTHER])


def test_deliveries_read_by_the_tailer_are_known_in_any_order(known: LastEvents) -> None:
    known.add([delivery(OFFICE, 31), delivery(TICKET, 30), delivery(OFFICE, 29)], started_at=0, read_to=50)
    assert [known.has_no_events_since(Snapshot(position), [OTHER]) for position in (31, 32)] == [False, True]
    assert [known.has_no_events_since(Snapshot(position), [GROUP]) for position in (30, 31)] == [False, True]


def test_late_transaction_is_news_to_a_cursor_that_did_not_see_it(known: LastEvents) -> None:
    seen = Snapshot(50, (28, 35))
    assert known.has_no_events_since(seen, [GROUP, OTHER])
    known.add([delivery(OFFICE, 40), delivery(OFFICE, 35)], started_at=0, read_to=50)
    assert not known.has_no_events_since(seen, [OTHER])
    assert known.has_no_events_since(seen, [GROUP])
    assert known.has_no_events_since(Snapshot(50, (28,)), [OTHER])


def test_transaction_that_ended_before_the_start_is_uncertain(known: LastEvents) -> None:
    assert not known.has_no_events_since(Snapshot(24, (22,)), [OTHER])
    known.start(Snapshot(25, (22,)), 10, {GROUP: 20})
    assert known.has_no_events_since(Snapshot(24, (22,)), [OTHER])


def test_oldest_transactions_are_forgotten(known: LastEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_events, "MAX_TRANSACTIONS", 1)
    known.add([delivery(OFFICE, 30), delivery(OFFICE, 35)], started_at=0, read_to=50)
    assert not known.has_no_events_since(Snapshot(50, (30,)), [GROUP])
    assert known.has_no_events_since(Snapshot(50, (31,)), [GROUP])
    assert known.has_no_events_since(Snapshot(50), [GROUP])


def test_layer_delivery_is_uncertain_until_a_later_read(known: LastEvents) -> None:
    known.add_unread(GROUP, now=5)
    assert known.has_no_events_since(Snapshot(50), [OTHER])
    for begun, is_certain in ((4, False), (5, False), (6, True)):
        known.add([delivery(TICKET, 40)], begun, read_to=50)
        assert known.has_no_events_since(Snapshot(50), [GROUP]) is is_certain


def test_layer_delivery_whose_row_was_deleted_is_news_to_all_cursors_of_before(known: LastEvents) -> None:
    known.add_unread(GROUP, now=5)
    known.add([], 6, read_to=50)
    assert [known.has_no_events_since(Snapshot(position), [GROUP]) for position in (40, 49, 50)] == [
        False,
        False,
        True,
    ]
    assert known.has_no_events_since(Snapshot(40), [OTHER])


def test_groups_with_the_oldest_events_are_evicted(known: LastEvents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_events, "MAX_GROUPS", 2)
    known.add([delivery(OFFICE, 30)], started_at=0, read_to=50)
    assert known.has_no_events_since(Snapshot(21), [GROUP])
    known.add([delivery("private-office.2", 40)], started_at=0, read_to=50)
    assert not known.has_no_events_since(Snapshot(20), [OTHER, GROUP])
    assert [known.has_no_events_since(Snapshot(position), [OTHER]) for position in (21, 30, 31)] == [
        False,
        False,
        True,
    ]


async def test_delivery_is_remembered_while_the_tailer_may_read_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, now = hub.here(), [1000.0]
    monkeypatch.setattr(hub.time, "monotonic", lambda: now[0])
    here.mark_delivered([1, 2])
    now[0] += hub.REMEMBER - 1
    here.mark_delivered([3])
    here.remove_old(set())
    assert [here.is_delivered(pk) for pk in (1, 2, 3)] == [True, True, True]
    now[0] += 1
    here.remove_old({2})
    assert [here.is_delivered(pk) for pk in (1, 2, 3)] == [False, True, True]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[Snapshot]:
    """Where each reading of the log begins; none comes unasked."""
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    unread, begun = event_log.read_since, list[Snapshot]()

    def note_and_read(snapshot: Snapshot) -> Any:
        begun.append(snapshot)
        return unread(snapshot)

    monkeypatch.setattr(event_log, "read_since", note_and_read)
    return begun


async def test_page_that_missed_nothing_is_answered_without_a_query(
    live_cast: Cast, readings: list[Snapshot]
) -> None:
    channels = live_cast.casey.channel, live_cast.ticket.channel
    since = await do(history.current_cursor)
    page = await subscribe(live_cast.casey, channels[0])
    await page.subscribe(channels[1])
    del readings[:]
    go_on_from = await ask_missed(page, since, *channels)
    assert go_on_from is not None
    assert readings == []
    await do(live_cast.reply, live_cast.bao, "News")
    assert (await do(history.read, live_cast.casey, channels, go_on_from)).events


async def test_page_that_missed_a_reply_is_sent_to_the_history(live_cast: Cast, readings: list[Snapshot]) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    first = await subscribe(live_cast.casey, channel)
    await do(live_cast.reply, live_cast.bao, "Sent to subscribers")
    await first.event("ticket.reply.created")
    second = await subscribe(live_cast.casey, channel)
    assert await ask_missed(second, since, channel) is None
    await hub.here().log_tailer.read()
    assert await ask_missed(second, since, channel) is None
    assert await ask_missed(second, await do(history.current_cursor), channel) is not None
    assert await second.receives_nothing(channel)


async def test_undelivered_reply_reaches_the_page_that_missed_nothing(
    live_cast: Cast, readings: list[Snapshot]
) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    await (await subscribe(live_cast.greta, live_cast.greta.channel)).close()
    await do(live_cast.reply, live_cast.bao, "On its way")
    page = await subscribe(live_cast.casey, channel)
    assert await ask_missed(page, since, channel) is not None
    await hub.here().log_tailer.read()
    assert (await page.event("ticket.reply.created"))["reply"]["message"] == "On its way"


async def test_new_process_knows_earlier_events(live_cast: Cast) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    await do(live_cast.reply, live_cast.bao, "Before")
    after = await do(history.current_cursor)
    page = await subscribe(live_cast.casey, channel)
    assert await ask_missed(page, since, channel) is None
    assert await ask_missed(page, after, channel) is not None


async def test_new_process_starts_at_the_beginning_of_the_log(live_cast: Cast) -> None:
    since = await do(history.current_cursor)
    await do(live_cast.reply, live_cast.bao, "Forgotten")
    await do(event_log.invalidate_history)
    page = await subscribe(live_cast.greta, live_cast.greta.channel)
    assert await ask_missed(page, since, live_cast.greta.channel) is None
    assert await ask_missed(page, await do(history.current_cursor), live_cast.greta.channel) is not None


def test_new_process_loads_the_last_deliveries(live_cast: Cast) -> None:
    floor, last = event_log.last_positions(10_000)
    assert (floor, list(last.values())) == (0, sorted(last.values()))
    live_cast.reply(live_cast.bao, "Latest", internal=True)  # notifies no one
    positions = list(Delivery.objects.order_by("-position").values_list("position", flat=True))
    floor, last = event_log.last_positions(2)
    assert floor == positions[2] + 1 or positions[2] == positions[0]
    assert event_log.last_positions(1_000)[1][f"staff.{live_cast.ticket.channel}"] == positions[0]
    assert set(last.values()) <= set(positions[:2])


async def test_note_is_news_to_staff_alone(live_cast: Cast) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    first = await subscribe(live_cast.bao, channel)
    casey, dana = await subscribe(live_cast.casey, channel), await subscribe(live_cast.dana, channel)
    await do(live_cast.reply, live_cast.bao, "A note", internal=True)
    await first.event("ticket.reply.created")
    assert await ask_missed(casey, since, channel) is not None
    assert await ask_missed(dana, since, channel) is None


async def test_unsubscribed_channel_reveals_nothing(live_cast: Cast) -> None:
    since, channel = await do(history.current_cursor), live_cast.ticket.channel
    greta = await subscribe(live_cast.greta, live_cast.greta.channel)
    await greta.subscribe(channel)
    assert await ask_missed(greta, since, live_cast.greta.channel, channel) is None
    assert await ask_missed(greta, since, live_cast.greta.channel) is not None


async def test_nothing_is_certain_during_revalidation(live_cast: Cast) -> None:
    since, channel = await do(history.current_cursor), live_cast.ticket.channel
    bao = await subscribe(live_cast.bao, channel)
    (socket,) = hub.here().sockets
    socket.subscriptions[channel].revalidations = 1
    assert await ask_missed(bao, since, channel) is None
    socket.subscriptions[channel].revalidations = 0
    assert await ask_missed(bao, since, channel) is not None


@pytest.mark.parametrize("is_ours", [False, True])
async def test_unknown_cursor_is_left_to_the_history(live_cast: Cast, is_ours: bool) -> None:
    mark = await do(event_log.current_snapshot)
    page = await subscribe(live_cast.casey, live_cast.casey.channel)
    since = cursors.encode_cursor(Snapshot(mark.end + 1)) if is_ours else "nonsense"
    assert await ask_missed(page, since, live_cast.casey.channel) is None
    assert await ask_missed(page, cursors.encode_cursor(mark), live_cast.casey.channel) is not None


async def test_nothing_is_certain_while_the_tailer_is_behind(live_cast: Cast, readings: list[Snapshot]) -> None:
    since, channel = await do(history.current_cursor), live_cast.casey.channel
    page, tail = await subscribe(live_cast.casey, channel), hub.here().log_tailer
    tail._read_at -= MAX_AGE * 3600
    assert await ask_missed(page, since, channel) is None
    await tail.read()
    assert await ask_missed(page, since, channel) is not None


async def test_failed_read_is_left_to_the_history(
    live_cast: Cast, readings: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = live_cast.casey.channel
    page = await subscribe(live_cast.casey, channel)
    await do(live_cast.reply, live_cast.bao, "Sent")
    since = await do(history.current_cursor)

    def be_away(_snapshot: Snapshot) -> Any:
        raise OperationalError("The database is away.")

    with monkeypatch.context() as broken:
        broken.setattr(event_log, "read_since", be_away)
        assert await ask_missed(page, since, channel) is None
    assert await ask_missed(page, since, channel) is not None


async def test_concurrent_questions_share_one_read(live_cast: Cast, readings: list[Snapshot]) -> None:
    pages = [await subscribe(live_cast.casey, live_cast.casey.channel) for _ in range(20)]
    await do(live_cast.reply, live_cast.bao, "Sent")
    since = await do(history.current_cursor)
    del readings[:]
    answers = await asyncio.gather(*(ask_missed(page, since, live_cast.casey.channel) for page in pages))
    assert None not in answers
    assert len(readings) <= 2


async def test_requested_read_does_not_resync_groups(
    live_cast: Cast, readings: list[Snapshot], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, mended = await subscribe(live_cast.casey, live_cast.casey.channel), list[bool]()

    async def note(_hub: hub.Hub) -> None:
        mended.append(True)

    monkeypatch.setattr(hub.Hub, "resync_groups", note)
    del readings[:]
    for number in range(3):
        await do(live_cast.reply, live_cast.bao, f"Sent {number}")
        assert await ask_missed(page, await do(history.current_cursor), live_cast.casey.channel) is not None
    assert len(readings) >= 3
    assert len(mended) <= 1


@pytest.mark.parametrize("channels", [None, "private-user.1", [1], {"a": 1}])
async def test_malformed_question_is_an_error(live_cast: Cast, channels: Any) -> None:
    page = await connect(live_cast.casey)
    await page.send(protocol.MISSED, since="x", channels=channels)
    assert (await page.event("pusher:error"))["code"] == close_codes.INVALID_MESSAGE


@pytest.mark.parametrize("seed", range(6))
async def test_page_misses_no_reply_in_any_sequence_of_events(
    live_cast: Cast, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = PageSimulation(live_cast, seed, monkeypatch)
    await game.play(40)
    assert {True, False} == set(game.answers)
