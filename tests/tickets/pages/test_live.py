"""Users of one ticket receive its events, and none that they may not read."""

import json

import pytest
from django.test import Client

from accounts.models import User
from realtime.broadcasting import history
from realtime.models import Broadcast
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import services


async def test_note_reaches_staff_only(live_cast: Cast) -> None:
    staff = await subscribe(live_cast.bao, live_cast.ticket.channel)
    customer = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Refund?", internal=True)
    assert (await staff.event("ticket.reply.created"))["reply"]["is_internal"]
    assert await customer.receives_nothing(live_cast.ticket.channel)


async def test_agent_who_opened_a_ticket_elsewhere_receives_no_note(live_cast: Cast) -> None:
    ticket = await do(
        services.open_ticket, by=live_cast.bao, subject="Chair", content="Broken", office=live_cast.orders
    )
    await do(services.update_ticket, ticket, by=live_cast.emil, values={"assigned_to": live_cast.fatima})
    creator = await subscribe(live_cast.bao, live_cast.bao.channel)
    assignee = await subscribe(live_cast.fatima, live_cast.fatima.channel)
    await do(services.add_reply, ticket, by=live_cast.emil, message="A chair a month", internal=True)
    assert (await assignee.event("ticket.reply.created"))["reply"]["is_internal"]
    assert await creator.receives_nothing(live_cast.bao.channel)
    await do(services.add_reply, ticket, by=live_cast.emil, message="A new one comes")
    event = await creator.event("ticket.reply.created")
    assert (event["reply"]["message"], event["seq"]) == ("A new one comes", 3)


async def test_customer_receives_the_reply_as_sanitised_html(live_cast: Cast) -> None:
    customer = await subscribe(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "It is **done** 🎉 <script>alert(1)</script>")
    reply = (await customer.event("ticket.reply.created"))["reply"]
    assert reply["message_html"].startswith('<p dir="auto">It is <strong>done</strong> 🎉 &lt;script&gt;')
    assert reply["user"]["name"] == "Bao Nguyen"


async def test_previous_office_receives_only_the_withdrawal(live_cast: Cast) -> None:
    ticket, loser = live_cast.ticket, await subscribe(live_cast.bao, live_cast.ticket.channel)
    office = await subscribe(live_cast.bao, live_cast.billing.channel)
    owner = await subscribe(live_cast.casey, ticket.channel)
    await do(services.update_ticket, ticket, by=live_cast.bao, values={"office": live_cast.orders})
    withdrawn = await office.event("ticket.withdrawn")
    assert withdrawn["ticket"] == {"uuid": str(ticket.uuid)}
    assert (await loser.event("pusher:subscription_error"))["status"] == 403
    assert (await owner.event("ticket.updated"))["changes"]["office"] == {"from": "Billing", "to": "Orders"}
    assert await office.receives_nothing(live_cast.billing.channel)


def history_of(cast: Cast, since: str, user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.get("/broadcasting/history", {"channel": cast.ticket.channel, "since": since}).text


@pytest.mark.django_db
def test_history_has_no_text_of_a_deleted_reply(cast: Cast) -> None:
    start = history.current_cursor()
    kept, gone = cast.reply(cast.bao, "This stays"), cast.reply(cast.bao, "My card number")
    assert "My card number" in history_of(cast, start, cast.casey)
    services.delete_reply(gone, by=cast.bao)
    logged = history_of(cast, start, cast.casey)
    assert "My card number" not in logged
    assert ("This stays" in logged, str(kept.pk) in logged, "ticket.reply.deleted" in logged) == (True, True, True)
    numbers = [event["data"]["seq"] for event in json.loads(logged)["events"]]
    assert numbers == [2, 3, 4]


@pytest.mark.django_db
def test_log_keeps_only_the_withdrawal_of_a_deleted_ticket(cast: Cast) -> None:
    cast.reply(cast.bao, "A note", internal=True)
    assert Broadcast.objects.filter(guard=cast.ticket.channel).exists()
    services.delete_ticket(cast.ticket, by=cast.ada)
    assert not Broadcast.objects.filter(guard=cast.ticket.channel).exists()
    assert {row.event for row in Broadcast.objects.filter(staff__contains="ticket")} >= {"ticket.withdrawn"}
