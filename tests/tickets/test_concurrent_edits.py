"""Concurrent edits: no user overwrites a change they have not seen, and a repeated form counts once."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import services
from tickets.models import Attachment, Reply, Ticket

pytestmark = pytest.mark.django_db
JSON = {"HTTP_ACCEPT": "application/json"}


def change(user: User, ticket: Ticket, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    scripted = JSON if fields.pop("scripted", True) else {}
    return client.post(f"/tickets/{ticket.uuid}/change/", fields, **scripted)


def test_colleagues_change_is_not_overwritten(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    response = change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen)
    cast.ticket.refresh_from_db()
    assert (response.status_code, cast.ticket.status.name) == (409, "On Hold")
    body = response.json()
    assert body["errors"] == {"status": ["Dana Okafor changed this to “On Hold” while you were editing."]}
    assert body["current"] == {"status": str(cast.status("On Hold").pk)}
    assert body["version"] == cast.ticket.version


def test_change_of_the_seen_version_is_accepted(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    refused = change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen).json()
    assert (
        change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=refused["version"]).status_code == 204
    )
    cast.ticket.refresh_from_db()
    assert cast.ticket.status.name == "Closed"


def test_page_offers_both_values_without_scripts(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"assigned_to": cast.dana})
    response = change(cast.bao, cast.ticket, assigned_to=cast.emil.pk, version=seen, scripted=False)
    assert response.status_code == 409
    assert "changed this to “Dana Okafor”" in response.text
    assert f'<option value="{cast.emil.pk}" selected>' in response.text
    assert f'name="version" value="{seen + 1}"' in response.text


def test_change_of_another_field_is_no_conflict(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"priority": cast.priority("High")})
    cast.reply(cast.dana, "A note", internal=True)
    assert change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen).status_code == 204


def test_change_before_the_seen_version_is_no_conflict(cast: Cast) -> None:
    seen = services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")}).version
    services.update_ticket(cast.ticket, by=cast.dana, values={"priority": cast.priority("High")})
    assert change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen).status_code == 204


def test_same_value_is_no_conflict(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("Closed")})
    assert change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen).status_code == 204


def test_own_change_is_no_conflict(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("On Hold")})
    assert change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=seen).status_code == 204


def test_form_with_several_fields_changes_all_or_none(cast: Cast) -> None:
    seen = cast.ticket.version
    services.update_ticket(cast.ticket, by=cast.dana, values={"status": cast.status("On Hold")})
    fields = {"subject": "Refund", "status": cast.status("Closed").pk}
    assert change(cast.bao, cast.ticket, version=seen, **fields).status_code == 409
    cast.ticket.refresh_from_db()
    assert cast.ticket.subject == "Charged twice"


@pytest.mark.parametrize("version", ["x", "-1", "9" * 30, ""])
def test_invalid_version_is_no_crash(cast: Cast, version: str) -> None:
    response = change(cast.bao, cast.ticket, status=cast.status("Closed").pk, version=version)
    assert response.status_code in (204, 422)


def test_customers_see_no_version(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.casey)
    assert 'name="version"' not in client.get(cast.ticket.get_absolute_url()).text
    client.force_login(cast.bao)
    assert 'name="version"' in client.get(cast.ticket.get_absolute_url()).text


def reply(user: User, ticket: Ticket, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/tickets/{ticket.uuid}/replies/", fields, **JSON)


def test_repeated_reply_makes_one_reply(cast: Cast) -> None:
    words = {"message": "Thank you", "key": str(uuid4())}
    first, second = reply(cast.casey, cast.ticket, **words), reply(cast.casey, cast.ticket, **words)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() == {"id": str(Reply.objects.get().pk), "following": None}


async def test_repeated_reply_is_broadcast_once(live_cast: Cast) -> None:
    listener = await subscribe(live_cast.bao, live_cast.ticket.channel)
    words = {"message": "Thank you", "key": str(uuid4())}
    for _ in range(2):
        await do(reply, live_cast.casey, live_cast.ticket, **words)
    assert (await listener.event("ticket.reply.created"))["reply"]["message"] == "Thank you"
    assert await listener.receives_nothing(live_cast.ticket.channel)


def test_text_changed_after_a_failure_makes_another_reply(cast: Cast) -> None:
    key = str(uuid4())
    reply(cast.casey, cast.ticket, message="Thank you", key=key)
    reply(cast.casey, cast.ticket, message="Thank you, and one thing more", key=key)
    assert Reply.objects.count() == 2


def test_same_text_in_two_forms_makes_two_replies(cast: Cast) -> None:
    for _ in range(2):
        reply(cast.casey, cast.ticket, message="Any news?", key=str(uuid4()))
    assert Reply.objects.count() == 2


def test_key_of_another_user_is_ignored(cast: Cast) -> None:
    words = {"message": "Hello", "key": str(uuid4())}
    reply(cast.casey, cast.ticket, **words)
    reply(cast.bao, cast.ticket, **words)
    reply(cast.bao, cast.ticket, **words, internal="on")
    assert Reply.objects.count() == 3


def test_repeated_ticket_form_opens_one_ticket(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.casey)
    words = {
        "subject": "Late", "content": "x", "office": cast.orders.pk, "priority": cast.ticket.priority_id,
        "key": str(uuid4()),
    }  # fmt: skip
    addresses = {client.post("/tickets/new/", words)["Location"] for _ in range(2)}
    assert len(addresses) == 1
    assert Ticket.objects.filter(subject="Late").count() == 1


def a_file(user: User) -> str:
    """Return the id of an unsent file."""
    file = {"filename": "bill.png", "size": 1, "content_type": "image/png", "file": "none"}
    return str(Attachment.objects.create(uploader=user, **file).pk)


def test_repeated_reply_with_a_file_makes_one_reply_with_one_file(cast: Cast) -> None:
    words = {"message": "See the bill", "key": str(uuid4()), "attachments": [a_file(cast.casey)]}
    answers = [reply(cast.casey, cast.ticket, **words) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert Reply.objects.get().attachments.count() == 1


def test_already_sent_file_does_not_block_a_changed_text(cast: Cast) -> None:
    words = {"key": str(uuid4()), "attachments": [a_file(cast.casey)]}
    for message in ("See the bill", "See the bill, please"):
        assert reply(cast.casey, cast.ticket, message=message, **words).status_code == 201
    assert [said.attachments.count() for said in Reply.objects.all()] == [1, 0]


def test_file_of_another_form_is_not_sent_again(cast: Cast) -> None:
    file = a_file(cast.casey)
    reply(cast.casey, cast.ticket, message="See the bill", key=str(uuid4()), attachments=[file])
    again = reply(cast.casey, cast.ticket, message="See it", key=str(uuid4()), attachments=[file])
    assert again.status_code == 422
    assert again.json()["errors"]["attachments"] == ["A file is no longer available. Add it again."]


def test_repeated_ticket_form_with_a_file_opens_one_ticket(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.casey)
    words = {
        "subject": "Late", "content": "x", "office": cast.orders.pk, "priority": cast.ticket.priority_id,
        "key": str(uuid4()), "attachments": [a_file(cast.casey)],
    }  # fmt: skip
    assert len({client.post("/tickets/new/", words)["Location"] for _ in range(2)}) == 1
    assert Ticket.objects.get(subject="Late").attachments.count() == 1
