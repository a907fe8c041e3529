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
from realtime.server import hub, last_events
from realtime.server.last_events import LastEvents
from realtime.server.log_tailer import MAX_AGE
from tests.support.cast import Cast
from tests.support.page_model import Game, ask
from tests.support.sockets import do, greeted, listen

pytestmark = pytest.mark.django_db(transaction=True)

TICKET, OFFICE = "private-tickets.1", "private-office.1"
GROUP, OTHER = f"public.{TICKET}", f"public.{OFFICE}"


def told(channel: str, position: int) -> Delivery:
    """Return a row of the log."""
    return Delivery(channel=channel, position=position, audience=Audience.PUBLIC, version=Audience.PUBLIC)


@pytest.fixture
def known() -> LastEvents:
    """What a process knows that has read the log from its tenth position on."""
    found = LastEvents()
    found.start(10, {GROUP: 20})
    return found


def test_a_group_has_been_silent_since_it_was_told_something_last(known: LastEvents) -> None:
    assert known.has_no_events_since(21, [GROUP])
    assert known.has_no_events_since(10, [OTHER])
    assert not known.has_no_events_since(20, [GROUP])
    assert not known.has_no_events_since(20, [OTHER, GROUP])


def test_what_was_before_the_memory_begins_is_not_known(known: LastEvents) -> None:
    assert not known.has_no_events_since(9, [OTHER])
    assert not LastEvents().has_no_events_since(10**9, [OTHER])


def test_what_the_tail_reads_is_known_whatever_its_order(known: LastEvents) -> None:
    known.add([told(OFFICE, 31), told(TICKET, 30), told(OFFICE, 29)], started_at=0)
    assert [known.has_no_events_since(position, [OTHER]) for position in (31, 32)] == [False, True]
    assert [known.has_no_events_since(position, [GROUP]) for position in (30, 31)] == [False, True]


def test_what_the_layer_brought_is_uncertain_until_a_reading_that_began_later(known: LastEvents) -> None:
    known.add_unread(GROUP, now=5)
    assert known.has_no_events_since(50, [OTHER])
    for begun, is_certain in ((4, False), (5, False), (6, True)):
        known.add([], begun)
        assert known.has_no_events_since(50, [GROUP]) is is_certain


def test_of_too_many_groups_those_are_let_go_that_were_told_something_longest_ago(
    known: LastEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_events, "MAX_GROUPS", 2)
    known.add([told(OFFICE, 30)], started_at=0)
    assert known.has_no_events_since(21, [GROUP])
    known.add([told("private-office.2", 40)], started_at=0)
    assert not known.has_no_events_since(20, [OTHER, GROUP])
    assert [known.has_no_events_since(position, [OTHER]) for position in (21, 30, 31)] == [False, False, True]


async def test_a_delivery_is_remembered_for_a_minute_and_as_long_as_the_tail_reads_it(
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
def readings(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[int]:
    """Where each reading of the log begins; none comes unasked."""
    settings.REALTIME = {**settings.REALTIME, "TAIL_INTERVAL": 3600}
    unread, begun = event_log.read_since, list[int]()

    def note_and_read(position: int) -> Any:
        begun.append(position)
        return unread(position)

    monkeypatch.setattr(event_log, "read_since", note_and_read)
    return begun


async def test_a_page_that_has_missed_nothing_learns_it_without_a_question_to_the_database(
    live_cast: Cast, readings: list[int]
) -> None:
    channels = live_cast.casey.channel, live_cast.ticket.channel
    since = await do(history.current_cursor)
    page = await listen(live_cast.casey, channels[0])
    await page.subscribe(channels[1])
    del readings[:]
    go_on_from = await ask(page, since, *channels)
    assert go_on_from is not None
    assert readings == []
    await do(live_cast.reply, live_cast.bao, "News")
    assert (await do(history.read, live_cast.casey, channels, go_on_from)).events


async def test_a_page_that_came_after_a_reply_is_sent_to_the_history(live_cast: Cast, readings: list[int]) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    first = await listen(live_cast.casey, channel)
    await do(live_cast.reply, live_cast.bao, "Told to whoever was there")
    await first.event("ticket.reply.created")
    second = await listen(live_cast.casey, channel)
    assert await ask(second, since, channel) is None
    await hub.here().log_tailer.read()
    assert await ask(second, since, channel) is None
    assert await ask(second, await do(history.current_cursor), channel) is not None
    assert await second.hears_nothing(channel)


async def test_a_reply_that_nobody_has_told_yet_is_told_to_the_page_that_has_missed_nothing(
    live_cast: Cast, readings: list[int]
) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    await (await listen(live_cast.greta, live_cast.greta.channel)).close()
    await do(live_cast.reply, live_cast.bao, "On its way")
    page = await listen(live_cast.casey, channel)
    assert await ask(page, since, channel) is not None
    await hub.here().log_tailer.read()
    assert (await page.event("ticket.reply.created"))["reply"]["message"] == "On its way"


async def test_a_process_knows_what_was_told_before_it_was_there(live_cast: Cast) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    await do(live_cast.reply, live_cast.bao, "Before")
    after = await do(history.current_cursor)
    page = await listen(live_cast.casey, channel)
    assert await ask(page, since, channel) is None
    assert await ask(page, after, channel) is not None


async def test_a_process_begins_where_the_log_does(live_cast: Cast) -> None:
    since = await do(history.current_cursor)
    await do(live_cast.reply, live_cast.bao, "Forgotten")
    await do(event_log.invalidate_history)
    page = await listen(live_cast.greta, live_cast.greta.channel)
    assert await ask(page, since, live_cast.greta.channel) is None
    assert await ask(page, await do(history.current_cursor), live_cast.greta.channel) is not None


def test_a_process_begins_with_the_last_deliveries(live_cast: Cast) -> None:
    floor, last = event_log.last_positions(10_000)
    assert (floor, list(last.values())) == (0, sorted(last.values()))
    live_cast.reply(live_cast.bao, "Latest")
    positions = list(Delivery.objects.order_by("-position").values_list("position", flat=True))
    floor, last = event_log.last_positions(2)
    assert floor == positions[2] + 1 or positions[2] == positions[0]
    assert event_log.last_positions(1_000)[1][f"public.{live_cast.ticket.channel}"] == positions[0]
    assert set(last.values()) <= set(positions[:2])


async def test_a_note_is_no_news_to_a_customer_and_is_to_staff(live_cast: Cast) -> None:
    channel, since = live_cast.ticket.channel, await do(history.current_cursor)
    first = await listen(live_cast.bao, channel)
    casey, dana = await listen(live_cast.casey, channel), await listen(live_cast.dana, channel)
    await do(live_cast.reply, live_cast.bao, "A note", internal=True)
    await first.event("ticket.reply.created")
    assert await ask(casey, since, channel) is not None
    assert await ask(dana, since, channel) is None


async def test_nobody_learns_whether_something_was_told_on_a_channel_that_he_does_not_hear(live_cast: Cast) -> None:
    since, channel = await do(history.current_cursor), live_cast.ticket.channel
    greta = await listen(live_cast.greta, live_cast.greta.channel)
    await greta.subscribe(channel)
    assert await ask(greta, since, live_cast.greta.channel, channel) is None
    assert await ask(greta, since, live_cast.greta.channel) is not None


async def test_while_a_rule_is_asked_again_nothing_is_certain(live_cast: Cast) -> None:
    since, channel = await do(history.current_cursor), live_cast.ticket.channel
    bao = await listen(live_cast.bao, channel)
    (socket,) = hub.here().sockets
    socket.subscriptions[channel].revalidations = 1
    assert await ask(bao, since, channel) is None
    socket.subscriptions[channel].revalidations = 0
    assert await ask(bao, since, channel) is not None


@pytest.mark.parametrize("is_ours", [False, True])
async def test_a_cursor_that_was_not_given_here_is_for_the_history_to_judge(live_cast: Cast, is_ours: bool) -> None:
    mark = await do(event_log.watermark)
    page = await listen(live_cast.casey, live_cast.casey.channel)
    since = cursors.encode_cursor(mark + 1) if is_ours else "nonsense"
    assert await ask(page, since, live_cast.casey.channel) is None
    assert await ask(page, cursors.encode_cursor(mark), live_cast.casey.channel) is not None


async def test_nothing_is_certain_while_the_log_has_not_been_read_for_long(
    live_cast: Cast, readings: list[int]
) -> None:
    since, channel = await do(history.current_cursor), live_cast.casey.channel
    page, tail = await listen(live_cast.casey, channel), hub.here().log_tailer
    tail._read_at -= MAX_AGE * 3600
    assert await ask(page, since, channel) is None
    await tail.read()
    assert await ask(page, since, channel) is not None


async def test_a_reading_that_fails_is_waited_for_and_leaves_it_to_the_history(
    live_cast: Cast, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = live_cast.casey.channel
    page = await listen(live_cast.casey, channel)
    await do(live_cast.reply, live_cast.bao, "Told")
    since = await do(history.current_cursor)

    def be_away(_position: int) -> Any:
        raise OperationalError("The database is away.")

    with monkeypatch.context() as broken:
        broken.setattr(event_log, "read_since", be_away)
        assert await ask(page, since, channel) is None
    assert await ask(page, since, channel) is not None


async def test_who_comes_together_shares_a_reading(live_cast: Cast, readings: list[int]) -> None:
    pages = [await listen(live_cast.casey, live_cast.casey.channel) for _ in range(20)]
    await do(live_cast.reply, live_cast.bao, "Told")
    since = await do(history.current_cursor)
    del readings[:]
    answers = await asyncio.gather(*(ask(page, since, live_cast.casey.channel) for page in pages))
    assert None not in answers
    assert len(readings) <= 2


async def test_a_reading_that_pages_wait_for_does_not_look_after_the_groups_each_time(
    live_cast: Cast, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, mended = await listen(live_cast.casey, live_cast.casey.channel), list[bool]()

    async def note(_hub: hub.Hub) -> None:
        mended.append(True)

    monkeypatch.setattr(hub.Hub, "resync_groups", note)
    del readings[:]
    for number in range(3):
        await do(live_cast.reply, live_cast.bao, f"Told {number}")
        assert await ask(page, await do(history.current_cursor), live_cast.casey.channel) is not None
    assert len(readings) >= 3
    assert len(mended) <= 1


@pytest.mark.parametrize("channels", [None, "private-user.1", [1], {"a": 1}])
async def test_a_malformed_question_is_answered_with_an_error(live_cast: Cast, channels: Any) -> None:
    page = await greeted(live_cast.casey)
    await page.say(protocol.MISSED, since="x", channels=channels)
    assert (await page.event("pusher:error"))["code"] == close_codes.INVALID_MESSAGE


@pytest.mark.parametrize("seed", range(6))
async def test_whenever_pages_come_and_go_none_misses_a_reply(
    live_cast: Cast, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = Game(live_cast, seed, monkeypatch)
    await game.play(40)
    assert {True, False} == set(game.answers)
