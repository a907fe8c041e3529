"""API writes are broadcast once like those of pages, and API clients receive events with a token."""

from typing import Any

import pytest

from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import SocketClient, connect, do, subscribe
from tickets.models import Reply

REPLY = "ticket.reply.created"


async def program_listens(program: ApiClient, channel: str) -> SocketClient:
    """Open a socket with the client's token and without an Origin header."""
    listener = await connect(origin=None, authorization=program.headers["Authorization"])
    answer = await listener.subscribe(channel)
    assert answer["event"] == "pusher_internal:subscription_succeeded", answer
    return listener


async def test_api_reply_is_received_once_by_all_clients(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, casey = await do(ApiClient, live_cast.bao), await do(ApiClient, live_cast.casey)
    ears = [await subscribe(live_cast.casey, channel), await program_listens(bao, channel)]
    body = {"message": "It is *done*"}
    answers = [
        await do(casey.post, f"tickets/{live_cast.ticket.uuid}/replies/", body, Idempotency_Key="1") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    for ear in ears:
        reply = (await ear.event(REPLY))["reply"]
        assert (reply["id"], reply["message_html"]) == (
            answers[0].json()["id"],
            '<p dir="auto">It is <em>done</em></p>',
        )
        assert await ear.receives_nothing(channel)
        await ear.close()


async def test_api_note_is_received_by_staff_only(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, caseys = await do(ApiClient, live_cast.bao), await do(ApiClient, live_cast.casey)
    staff, customer = await program_listens(bao, channel), await program_listens(caseys, channel)
    body = {"message": "Refund?", "is_internal": True}
    await do(bao.post, f"tickets/{live_cast.ticket.uuid}/replies/", body)
    assert (await staff.event(REPLY))["reply"]["is_internal"]
    assert await customer.receives_nothing(channel)


@pytest.mark.parametrize("status", ["Closed", "On Hold"])
async def test_staff_who_opened_the_ticket_reopen_it_with_a_reply(live_cast: Cast, status: str) -> None:
    bao, office = await do(ApiClient, live_cast.bao), await subscribe(live_cast.dana, live_cast.billing.channel)
    body = {"subject": "Chair", "content": "Broken", "office": "Billing"}
    path = f"tickets/{(await do(bao.post, 'tickets/', body)).json()['uuid']}/"
    await do(bao.patch, path, {"status": status}, If_Match="*")
    assert (await office.event("ticket.status.changed"))["status_change"]["to"]["name"] == status
    await do(bao.post, f"{path}replies/", {"message": "Still broken"})
    assert (await office.event(REPLY))["ticket"]["status"] == status
    assert (await office.event("ticket.status.changed"))["ticket"]["status"] == "Open"
    line = (await do(bao.get, f"{path}timeline/")).json()["results"][-1]
    assert (line["action"], line["from"], line["to"]) == ("status", status, "Open")


async def test_rejected_request_broadcasts_nothing(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao, staff = await do(ApiClient, live_cast.bao), await subscribe(live_cast.dana, channel)
    path = f"tickets/{live_cast.ticket.uuid}/"
    refused = [
        await do(bao.patch, path, {"status": "Closed"}, If_Match='"7"'),
        await do(bao.patch, path, {"status": "Closed", "subject": ""}),
        await do(bao.post, f"{path}replies/", {"message": "Hello", "attachments": ["x"]}),
    ]
    assert [answer.status_code for answer in refused] == [412, 422, 422]
    assert await staff.receives_nothing(channel)
    await do(bao.patch, path, {"status": "Closed"}, If_Match='"1"')
    assert (await staff.event("ticket.status.changed"))["status_change"]["to"]["name"] == "Closed"


async def test_revoked_token_receives_nothing_more(live_cast: Cast) -> None:
    channel = live_cast.ticket.channel
    bao = await do(ApiClient, live_cast.bao)
    ear, other = await program_listens(bao, channel), await subscribe(live_cast.dana, channel)
    assert (await do(bao.ask, "DELETE", f"auth/token/{bao.id}/")).status_code == 204
    await do(live_cast.reply, live_cast.casey, "Any news?")
    assert (await other.event(REPLY))["reply"]["message"] == "Any news?"
    frames: list[dict[str, Any]] = []
    while not frames or frames[-1]["event"] != "closed":
        frames.append(await ear.frame())
    assert REPLY not in [frame["event"] for frame in frames]
    assert await do(Reply.objects.count) == 1


@pytest.mark.django_db
def test_history_accepts_a_token(cast: Cast) -> None:
    bao, path = ApiClient(cast.bao), f"/broadcasting/history?channel={cast.ticket.channel}"
    cursor = bao.client.get(path, headers=bao.headers).json()["cursor"]
    bao.post(f"tickets/{cast.ticket.uuid}/replies/", {"message": "Hello"})
    events = bao.client.get(f"{path}&since={cursor}", headers=bao.headers).json()["events"]
    assert [event["event"] for event in events] == [REPLY]
