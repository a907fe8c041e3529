"""People on one ticket hear what happens to it, and nothing that is not theirs."""

from tests.cast import Cast
from tests.sockets import do, listen
from tickets import services


async def test_a_note_reaches_staff_and_only_staff(live_cast: Cast) -> None:
    staff = await listen(live_cast.bao, live_cast.ticket.channel)
    customer = await listen(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "Refund?", internal=True)
    assert (await staff.event("ticket.reply.created"))["reply"]["is_internal"]
    assert await customer.hears_nothing(live_cast.ticket.channel)


async def test_an_agent_who_opened_a_ticket_elsewhere_hears_no_note_on_his_own_channel(live_cast: Cast) -> None:
    ticket = await do(
        services.open_ticket, by=live_cast.bao, subject="Chair", content="Broken", office=live_cast.orders
    )
    await do(services.assign, ticket, by=live_cast.emil, to=live_cast.fatima)
    creator = await listen(live_cast.bao, live_cast.bao.channel)
    assignee = await listen(live_cast.fatima, live_cast.fatima.channel)
    await do(services.add_reply, ticket, by=live_cast.emil, message="A chair a month", internal=True)
    assert (await assignee.event("ticket.reply.created"))["reply"]["is_internal"]
    assert await creator.hears_nothing(live_cast.bao.channel)
    await do(services.add_reply, ticket, by=live_cast.emil, message="A new one comes")
    heard = await creator.event("ticket.reply.created")
    assert (heard["reply"]["message"], heard["seq"]) == ("A new one comes", 3)


async def test_a_customer_hears_the_agents_reply_as_safe_html(live_cast: Cast) -> None:
    customer = await listen(live_cast.casey, live_cast.ticket.channel)
    await do(live_cast.reply, live_cast.bao, "It is **done** 🎉 <script>alert(1)</script>")
    reply = (await customer.event("ticket.reply.created"))["reply"]
    assert reply["message_html"].startswith("<p>It is <strong>done</strong> 🎉 &lt;script&gt;")
    assert reply["user"]["name"] == "Bao Nguyen"


async def test_an_old_office_learns_only_that_a_ticket_has_left(live_cast: Cast) -> None:
    ticket, loser = live_cast.ticket, await listen(live_cast.bao, live_cast.ticket.channel)
    office = await listen(live_cast.bao, live_cast.billing.channel)
    owner = await listen(live_cast.casey, ticket.channel)
    await do(services.move, ticket, by=live_cast.bao, office=live_cast.orders)
    withdrawn = await office.event("ticket.withdrawn")
    assert withdrawn["ticket"] == {"uuid": str(ticket.uuid)}
    assert (await loser.event("pusher:subscription_error"))["status"] == 403
    assert (await owner.event("ticket.updated"))["changes"]["office"] == {"from": "Billing", "to": "Orders"}
    assert await office.hears_nothing(live_cast.billing.channel)
