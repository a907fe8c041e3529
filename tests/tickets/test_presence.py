"""Who is viewing or writing a ticket: shown to its staff, and never against a user's wish."""

import pytest

from tests.support.cast import Cast
from tests.support.clients.signed_clients import send_client_event
from tests.support.sockets import do, subscribe

ACTIVITIES = ("client-viewing", "client-replying", "client-noting")


async def test_activity_names_its_author_as_colleagues_do(live_cast: Cast) -> None:
    channel = live_cast.ticket.presence_channel
    bao, dana = await subscribe(live_cast.bao, channel), await subscribe(live_cast.dana, channel)
    await send_client_event(bao, "client-noting", channel, {"name": "Ada Admin"})
    expected = {"user": {"id": str(live_cast.bao.pk), "name": "Bao Nguyen", "role": "agent"}}
    assert await dana.event("client-noting") == expected


async def test_member_has_the_avatar_that_colleagues_see(live_cast: Cast) -> None:
    bao = await subscribe(live_cast.bao, live_cast.ticket.presence_channel)
    await subscribe(live_cast.dana, live_cast.ticket.presence_channel)
    added = await bao.event("pusher_internal:member_added")
    assert added["user_info"]["avatar_url"] == f"/avatars/{live_cast.dana.pk}.svg"


@pytest.mark.parametrize("event", [*ACTIVITIES, "client-typing"])
async def test_hidden_user_is_not_shown_to_view_or_write(live_cast: Cast, event: str) -> None:
    ticket, dana = live_cast.ticket, live_cast.dana
    channel = ticket.channel if event == "client-typing" else ticket.presence_channel
    dana.hides_online = True
    await do(dana.save)
    hidden, shown = await subscribe(dana, channel), await subscribe(live_cast.bao, channel)
    readers = [await subscribe(live_cast.ada, channel)]
    if event == "client-typing":
        readers.append(await subscribe(live_cast.casey, channel))
    await send_client_event(hidden, event, channel, {})
    for reader in readers:
        assert await reader.receives_nothing(channel)
    await send_client_event(shown, event, channel, {})
    for reader in readers:
        assert (await reader.event(event))["user"]["name"] == "Bao Nguyen"


async def test_customer_receives_no_trace_of_a_note_in_the_making(live_cast: Cast) -> None:
    ticket = live_cast.ticket
    bao = await subscribe(live_cast.bao, ticket.presence_channel)
    await bao.subscribe(ticket.channel)
    dana = await subscribe(live_cast.dana, ticket.presence_channel)
    casey = await subscribe(live_cast.casey, ticket.channel)
    await send_client_event(bao, "client-noting", ticket.presence_channel, {})
    await dana.event("client-noting")
    assert await casey.receives_nothing(ticket.channel)
    await send_client_event(bao, "client-typing", ticket.channel, {})
    assert (await casey.event("client-typing"))["user"]["name"] == "Bao Nguyen"


async def test_lists_of_the_office_receive_the_activity(live_cast: Cast) -> None:
    ticket, office = live_cast.ticket, live_cast.billing
    bao = await subscribe(live_cast.bao, ticket.presence_channel)
    await bao.subscribe(office.presence_channel)
    dana = await subscribe(live_cast.dana, office.presence_channel)
    await bao.event("pusher_internal:member_added")
    emil = await subscribe(live_cast.emil, live_cast.orders.presence_channel)
    await send_client_event(bao, "client-noting", ticket.presence_channel, {})
    person = {"id": str(live_cast.bao.pk), "name": "Bao Nguyen", "role": "agent"}
    assert await dana.event("ticket.activity") == {
        "ticket": {"uuid": str(ticket.uuid)},
        "user": person | {"avatar_url": f"/avatars/{live_cast.bao.pk}.svg"},
        "activity": "noting",
    }
    assert await bao.receives_nothing(office.presence_channel)
    assert await emil.receives_nothing(live_cast.orders.presence_channel)


async def test_lists_receive_no_activity_of_a_hidden_user(live_cast: Cast) -> None:
    ticket, office = live_cast.ticket, live_cast.billing
    live_cast.dana.hides_online = True
    await do(live_cast.dana.save)
    hidden, shown = [await subscribe(user, ticket.presence_channel) for user in (live_cast.dana, live_cast.bao)]
    ada = await subscribe(live_cast.ada, office.presence_channel)
    await send_client_event(hidden, "client-viewing", ticket.presence_channel, {})
    assert await ada.receives_nothing(office.presence_channel)
    await send_client_event(shown, "client-viewing", ticket.presence_channel, {})
    assert (await ada.event("ticket.activity"))["user"]["name"] == "Bao Nguyen"
