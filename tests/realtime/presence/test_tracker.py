"""Members of presence channels: one for each user, on every process, removed when their last socket is gone."""

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
from tests.support.sockets import SocketClient, connect, do, subscribe
from tickets import services

pytestmark = pytest.mark.django_db(transaction=True)


def presence_channel(cast: Cast) -> str:
    return cast.ticket.channel.replace("private-", "presence-")


async def join(cast: Cast, name: str) -> tuple[SocketClient, dict]:
    """Subscribe a user to the presence channel of Casey's ticket; return the socket and the members."""
    socket = await connect(getattr(cast, name))
    answer = await socket.subscribe(presence_channel(cast))
    assert answer["event"] == "pusher_internal:subscription_succeeded", answer
    return socket, answer["data"]["presence"]


def names(present: dict) -> set[str]:
    return {info["name"] for info in present["hash"].values()}


@pytest.fixture
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove members at once."""
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 0)


async def test_new_member_sees_the_others_and_is_seen(live_cast: Cast) -> None:
    bao, present = await join(live_cast, "bao")
    assert (present["count"], names(present)) == (1, {"Bao Nguyen"})
    _dana, present = await join(live_cast, "dana")
    assert (present["count"], names(present)) == (2, {"Bao Nguyen", "Dana Okafor"})
    added = await bao.event("pusher_internal:member_added")
    assert added["user_id"] == str(live_cast.dana.pk)
    shown = {"id": str(live_cast.dana.pk), "name": "Dana Okafor", "role": "agent"}
    assert added["user_info"] == shown | {"avatar_url": f"/avatars/{live_cast.dana.pk}.svg"}


@pytest.mark.usefixtures("_no_grace")
async def test_user_with_two_tabs_is_one_member(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    first, _ = await join(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    second, present = await join(live_cast, "dana")
    assert present["count"] == 2
    await first.close()
    assert await bao.receives_nothing(presence_channel(live_cast))
    await second.close()
    assert await bao.event("pusher_internal:member_removed") == {"user_id": str(live_cast.dana.pk)}


async def test_page_reload_does_not_remove_the_member(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    dana, _ = await join(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    await dana.close()
    _again, present = await join(live_cast, "dana")
    assert present["count"] == 2
    assert await bao.receives_nothing(presence_channel(live_cast))


async def test_unsubscribing_removes_the_member_at_once(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    dana, _ = await join(live_cast, "dana")
    await dana.send("pusher:unsubscribe", channel=presence_channel(live_cast))
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
async def test_member_without_access_is_removed(
    live_cast: Cast, cause: Callable[[Cast], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 3600)
    bao, _ = await join(live_cast, "bao")
    _dana = await join(live_cast, "dana")
    await bao.event("pusher_internal:member_added")
    await do(cause, live_cast)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_kept_entry_ends_with_the_access(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker, "RECONNECT_GRACE", 3600)
    bao, _ = await join(live_cast, "bao")
    dana, _ = await join(live_cast, "dana")
    await dana.close()
    await do(switch_off, live_cast)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "fatima"])
async def test_only_staff_of_the_ticket_may_subscribe(live_cast: Cast, name: str) -> None:
    socket = await connect(getattr(live_cast, name))
    assert (await socket.subscribe(presence_channel(live_cast)))["event"] == "pusher:subscription_error"


async def test_hidden_user_sees_members_and_is_not_one(live_cast: Cast) -> None:
    live_cast.dana.hides_online = True
    await do(live_cast.dana.save)
    bao, _ = await join(live_cast, "bao")
    _dana, present = await join(live_cast, "dana")
    assert names(present) == {"Bao Nguyen"}
    assert await bao.receives_nothing(presence_channel(live_cast))


async def test_unsigned_channel_data_is_ignored(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    dana = await connect(live_cast.dana)
    data = protocol.encode({"user_id": str(live_cast.ada.pk), "user_info": {"name": "Ada Admin"}})
    await dana.subscribe(presence_channel(live_cast), channel_data=data)
    assert (await bao.event("pusher_internal:member_added"))["user_info"]["name"] == "Dana Okafor"


async def test_presence_updates_end_with_the_access(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    ada, _ = await join(live_cast, "ada")
    await do(services.update_ticket, live_cast.ticket, by=live_cast.ada, values={"office": live_cast.orders})
    assert (await bao.event("pusher:subscription_error"))["status"] == 403
    before = len(bao.received)
    _emil = await join(live_cast, "emil")
    await ada.event("pusher_internal:member_added")
    await bao.send("pusher:ping")
    await bao.event("pusher:pong")
    assert len(bao.received) == before + 1


# -- Other processes


def other_process(cast: Cast, *people: str, gone: bool = False) -> None:
    """Write entries of another server process for these members, or remove them."""
    members = [Member(str(getattr(cast, name).pk), {"name": getattr(cast, name).name}) for name in people]
    changes = [EntryChange(presence_channel(cast), None if gone else 1, member) for member in members]
    presence_store().sync(SyncRequest("elsewhere", changes))


async def test_members_on_another_process_are_added_and_removed(live_cast: Cast) -> None:
    await do(other_process, live_cast, "dana")
    bao, present = await join(live_cast, "bao")
    assert names(present) == {"Bao Nguyen", "Dana Okafor"}
    await do(other_process, live_cast, "emil")
    assert (await bao.event("pusher_internal:member_added"))["user_info"] == {"name": "Emil Sørensen"}
    await do(other_process, live_cast, "dana", gone=True)
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_members_of_a_killed_process_are_removed_with_its_lease(live_cast: Cast, settings: Settings) -> None:
    bao, _ = await join(live_cast, "bao")
    lasting, settings.REALTIME = settings.REALTIME, {**settings.REALTIME, "LEASE": 0.5}
    await do(other_process, live_cast, "dana")
    settings.REALTIME = lasting
    await bao.event("pusher_internal:member_added")
    assert (await bao.event("pusher_internal:member_removed"))["user_id"] == str(live_cast.dana.pk)


async def test_process_writes_all_entries_again_after_its_removal(live_cast: Cast) -> None:
    bao, _ = await join(live_cast, "bao")
    process = hub.here().process
    await do(presence_store().remove_process, process)
    hub.here().presence._synced_at = 0
    _ada = await join(live_cast, "ada")
    await bao.event("pusher_internal:member_added")
    channel = presence_channel(live_cast)
    occupancies = await do(presence_store().occupancy, [channel])
    assert occupancies[channel].members.keys() == {str(live_cast.bao.pk), str(live_cast.ada.pk)}


async def test_process_uses_local_entries_while_the_store_is_unavailable(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ServiceUnavailable("away")

    monkeypatch.setattr(DatabasePresenceStore, "sync", staticmethod(away))
    bao, present = await join(live_cast, "bao")
    assert names(present) == {"Bao Nguyen"}
    _dana, present = await join(live_cast, "dana")
    assert names(present) == {"Bao Nguyen", "Dana Okafor"}
    await bao.event("pusher_internal:member_added")


async def test_members_of_a_channel_are_limited(live_cast: Cast, settings: Settings) -> None:
    settings.REALTIME = {**settings.REALTIME, "MAX_MEMBERS_PER_CHANNEL": 1}
    _bao = await join(live_cast, "bao")
    dana = await connect(live_cast.dana)
    assert (await dana.subscribe(presence_channel(live_cast)))["event"] == "pusher:subscription_error"
    _tab, present = await join(live_cast, "bao")
    assert present["count"] == 1


async def test_office_channel_shows_online_agents(live_cast: Cast) -> None:
    channel = live_cast.billing.channel.replace("private-", "presence-")
    bao = await subscribe(live_cast.bao, channel)
    _ada = await subscribe(live_cast.ada, channel)
    assert (await bao.event("pusher_internal:member_added"))["user_info"]["name"] == "Ada Admin"
