"""Who is here: people, however many sockets they have, on every process, and not a moment longer than they are."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from realtime import protocol
from realtime.presence import tracker
from realtime.presence.database_store import DatabasePresenceStore
from realtime.presence.store import EntryChange, SyncRequest, presence_store
from realtime.protocol import Member
from realtime.server import hub
from realtime.utils.circuit_breaker import ServiceUnavailable
from tests.support.cast import Cast
from tests.support.sockets import Listener, do, greeted, listen
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)


def room_of(cast: Cast) -> str:
    return cast.ticket.channel.replace("private-", "presence-")


async def enter(cast: Cast, name: str) -> tuple[Listener, dict]:
    """Have someone look at Casey's ticket; return the socket, and who is there by name."""
    socket = await greeted(getattr(cast, name))
    answer = await socket.subscribe(room_of(cast))
    assert answer["event"] == "pusher_internal:subscription_succeeded", answer
    return socket, answer["data"]["presence"]


def names(present: dict) -> set[str]:
    return {info["name"] for info in present["hash"].values()}


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever goes is gone without a moment's grace."""
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0)


async def test_whoever_comes_sees_who_is_there_and_is_seen(live_cast: Cast) -> None:
    bao, present = await enter(live_cast, "bao")
    assert (present["count"], names(present)) == (1, {"Bao Nguyen"})
    _dana, present = await enter(live_cast, "dana")
    assert (present["count"], names(present)) == (2, {"Bao Nguyen", "Dana Okafor"})
    added = await bao.event("pusher_internal:member_added")
    assert added["user_id"] == str(live_cast.dana.pk)
    assert added["user_info"] == {"id": str(live_cast.dana.pk), "name": "Dana Okafor", "role": "agent"}


@pytest.mark.usefixtures("_at_once")
async def test_a_person_with_two_tabs_is_one_and_goes_with_the_last(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    first, _ = await enter(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    second, present = await enter(live_cast, "dana")
    assert present["count"] == 2
    await first.close()
    assert await bao.hears_nothing(room_of(live_cast))
    await second.close()
    assert await bao.event("pusher_internal:member_removed") == {"user_id": str(live_cast.dana.pk)}


async def test_a_page_that_loads_anew_never_left(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    dana, _ = await enter(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    await dana.close()
    _again, present = await enter(live_cast, "dana")
    assert present["count"] == 2
    assert await bao.hears_nothing(room_of(live_cast))


async def test_whoever_leaves_the_channel_is_gone_at_once(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    dana, _ = await enter(live_cast, "dana")
    await dana.say("pusher:unsubscribe", channel=room_of(live_cast))
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


def switch_off(cast: Cast) -> None:
    cast.dana.is_active = False
    cast.dana.save()


def leave_office(cast: Cast) -> None:
    cast.billing.agents.remove(cast.dana)


def hide(cast: Cast) -> None:
    cast.dana.hides_online = True
    cast.dana.save()


@pytest.mark.parametrize("cause", [switch_off, leave_office, hide])
async def test_whose_access_ends_is_no_longer_seen(live_cast: Cast, cause: Callable[[Cast], None]) -> None:
    bao, _ = await enter(live_cast, "bao")
    _dana = await enter(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    await do(cause, live_cast)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_a_seat_kept_for_a_moment_ends_with_the_access(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    dana, _ = await enter(live_cast, "dana")
    await dana.close()
    await do(switch_off, live_cast)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "fatima"])
async def test_who_is_not_staff_of_the_ticket_does_not_see_who_looks_at_it(live_cast: Cast, name: str) -> None:
    socket = await greeted(getattr(live_cast, name))
    assert (await socket.subscribe(room_of(live_cast)))["event"] == "pusher:subscription_error"


async def test_who_hides_being_online_sees_the_others_unseen(live_cast: Cast) -> None:
    live_cast.dana.hides_online = True
    await do(live_cast.dana.save)
    bao, _ = await enter(live_cast, "bao")
    _dana, present = await enter(live_cast, "dana")
    assert names(present) == {"Bao Nguyen"}
    assert await bao.hears_nothing(room_of(live_cast))


async def test_what_a_client_says_of_itself_is_not_shown(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    dana = await greeted(live_cast.dana)
    data = protocol.encode({"user_id": str(live_cast.ada.pk), "user_info": {"name": "Ada Admin"}})
    await dana.subscribe(room_of(live_cast), channel_data=data)
    assert (await bao.event("pusher_internal:member_added"))["user_info"]["name"] == "Dana Okafor"


async def test_no_comings_and_goings_are_heard_after_access_ended(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    ada, _ = await enter(live_cast, "ada")
    await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"office": live_cast.orders})
    assert (await bao.event("pusher:subscription_error"))["status"] == 403
    before = len(bao.heard)
    _emil = await enter(live_cast, "emil")
    await ada.event("pusher_internal:member_added")
    await bao.say("pusher:ping")
    await bao.event("pusher:pong")
    assert len(bao.heard) == before + 1


# -- Other processes


def other_process(cast: Cast, *people: str, gone: bool = False) -> None:
    """Have another server process say that these people look at Casey's ticket with it, or do no more."""
    members = [Member(str(getattr(cast, name).pk), {"name": getattr(cast, name).name}) for name in people]
    changes = [EntryChange(room_of(cast), None if gone else 1, member) for member in members]
    presence_store().sync(SyncRequest("elsewhere", changes))


async def test_people_on_another_process_are_seen_and_go(live_cast: Cast) -> None:
    await do(other_process, live_cast, "dana")
    bao, present = await enter(live_cast, "bao")
    assert names(present) == {"Bao Nguyen", "Dana Okafor"}
    await do(other_process, live_cast, "emil")
    assert (await bao.event("pusher_internal:member_added"))["user_info"] == {"name": "Emil Sørensen"}
    await do(other_process, live_cast, "dana", gone=True)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_the_people_of_a_killed_process_are_gone_when_its_lease_runs_out(
    live_cast: Cast, settings: Settings
) -> None:
    bao, _ = await enter(live_cast, "bao")
    lasting, settings.REALTIME = settings.REALTIME, {**settings.REALTIME, "LEASE": 0.5}
    await do(other_process, live_cast, "dana")
    settings.REALTIME = lasting
    await bao.event("pusher_internal:member_added")
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_a_census_that_forgot_this_process_is_told_everything_again(live_cast: Cast) -> None:
    bao, _ = await enter(live_cast, "bao")
    process = hub.here().process
    await do(presence_store().remove_process, process)
    hub.here().presence._synced_at = 0
    _ada = await enter(live_cast, "ada")
    await bao.event("pusher_internal:member_added")
    members = (await do(presence_store().occupancy, [room_of(live_cast)]))[room_of(live_cast)].members
    assert members.keys() == {str(live_cast.bao.pk), str(live_cast.ada.pk)}


async def test_while_the_census_is_away_a_process_knows_its_own_people(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ServiceUnavailable("away")

    monkeypatch.setattr(DatabasePresenceStore, "sync", staticmethod(away))
    bao, present = await enter(live_cast, "bao")
    assert names(present) == {"Bao Nguyen"}
    _dana, present = await enter(live_cast, "dana")
    assert names(present) == {"Bao Nguyen", "Dana Okafor"}
    await bao.event("pusher_internal:member_added")


async def test_a_channel_has_a_bounded_number_of_members(live_cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "MAX_MEMBERS_PER_CHANNEL": 1}
    _bao = await enter(live_cast, "bao")
    dana = await greeted(live_cast.dana)
    assert (await dana.subscribe(room_of(live_cast)))["event"] == "pusher:subscription_error"
    _tab, present = await enter(live_cast, "bao")
    assert present["count"] == 1


async def test_an_office_sees_who_is_online(live_cast: Cast) -> None:
    channel = live_cast.billing.channel.replace("private-", "presence-")
    bao = await listen(live_cast.bao, channel)
    _ada = await listen(live_cast.ada, channel)
    assert (await bao.event("pusher_internal:member_added"))["user_info"]["name"] == "Ada Admin"
