"""Splitting a message into a new ticket: whose it is, what is copied, and who sees where it came from."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tickets import files, policies, services
from tickets.models import MAX_MESSAGE, Ticket, TicketSplit, TimelineEntry
from tickets.people.participants import add_participant
from tickets.splitting.services import split_message

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def split(cast: Cast, reply: Any = None, *, by: User | None = None, **values: Any) -> Ticket:
    created = split_message(cast.ticket, reply, by=by or cast.bao, **({"subject": "Second matter"} | values))
    return Ticket.objects.get(pk=created.pk)


def test_message_of_a_customer_becomes_their_ticket_and_stays(cast: Cast) -> None:
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    file = files.store(SimpleUploadedFile("a.txt", b"Hello"), by=cast.greta)
    reply = services.add_reply(cast.ticket, by=cast.greta, message="And my *parcel*?", attachments=[file])
    created = split(cast, reply)
    assert (created.creator, created.opened_by, created.office) == (cast.greta, cast.bao, cast.billing)
    assert (created.content, created.subject, created.priority) == (
        reply.message,
        "Second matter",
        cast.ticket.priority,
    )
    (copy,) = created.attachments.all()
    assert (copy.filename, copy.sha256, copy.pk == file.pk) == ("a.txt", file.sha256, False)
    assert [each.pk for each in reply.attachments.all()] == [file.pk]
    assert list(policies.linked_tickets(cast.bao, cast.ticket)) == [created]
    assert policies.audience_of(cast.casey, created) is None


def test_first_message_and_reply_of_staff_become_tickets_of_the_customer(cast: Cast) -> None:
    reply = cast.reply(cast.dana, "We also owe you a refund.")
    for message, text in ((None, "Two charges for *May*."), (reply, "We also owe you a refund.")):
        created = split(cast, message)
        assert (created.creator, created.content) == (cast.casey, text)


def test_note_without_room_for_the_name_of_its_author_is_refused_and_not_cut(cast: Cast) -> None:
    note = cast.reply(cast.dana, "x" * MAX_MESSAGE, internal=True)
    values = {"subject": "Second matter", "office": cast.billing.pk, "content": "Hello"}
    answer = signed_in(cast.bao).post(f"{cast.ticket.get_absolute_url()}split/?reply={note.pk}", values)
    assert (answer.status_code, "This note is too long to be split." in answer.text) == (422, True)
    assert Ticket.objects.get() == cast.ticket


def test_note_becomes_a_note_that_no_customer_reads(cast: Cast) -> None:
    file = files.store(SimpleUploadedFile("secret.txt", b"Hello"), by=cast.dana)
    note = services.add_reply(cast.ticket, by=cast.dana, message="Kryptonite", internal=True, attachments=[file])
    with pytest.raises(ValidationError, match="Enter a message"):
        split(cast, note)
    assert not TicketSplit.objects.exists()
    created = split(cast, note, content="We look into your delivery too.")
    assert created.content == "We look into your delivery too."
    (copy,) = created.replies.all()
    assert (copy.is_internal, copy.author, "Kryptonite" in copy.message, "Dana" in copy.message) == (
        True,
        cast.bao,
        True,
        True,
    )
    assert [each.reply_id for each in created.attachments.all()] == [copy.pk]
    pages = [signed_in(cast.casey).get(each.get_absolute_url()).text for each in (cast.ticket, created)]
    assert [("Kryptonite" in page, "secret.txt" in page) for page in pages] == [(False, False)] * 2
    assert created.reference not in pages[0]
    address = f"{cast.ticket.get_absolute_url()}splits/"
    shown = [signed_in(person).get(address).json()["splits"].keys() for person in (cast.casey, cast.dana)]
    assert [set(keys) for keys in shown] == [set(), {str(note.pk)}]
    assert created.reference in signed_in(cast.dana).get(cast.ticket.get_absolute_url()).text


@pytest.mark.parametrize("name", ["casey", "greta", "emil", "fatima", "hiro"])
def test_others_than_staff_split_nothing(cast: Cast, name: str) -> None:
    with pytest.raises(PermissionDenied):
        split(cast, by=getattr(cast, name))
    assert Ticket.objects.count() == 1


def test_agent_opens_it_in_their_offices_only(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        split(cast, office=cast.orders)
    assert split(cast, by=cast.ada, office=cast.orders).office == cast.orders


def test_line_leads_those_who_may_open_the_new_ticket(cast: Cast) -> None:
    reply = cast.reply(cast.casey, "And my parcel?")
    created = split(cast, reply, by=cast.ada, office=cast.orders)
    address = cast.ticket.get_absolute_url()
    lines = {
        name: signed_in(getattr(cast, name)).get(f"{address}splits/").json()["splits"]
        for name in ("ada", "casey", "bao")
    }
    line = {str(reply.pk): [{"url": created.get_absolute_url(), "reference": created.reference}]}
    assert lines == {"ada": line, "casey": line, "bao": {}}
    shown = {name: created.reference in signed_in(getattr(cast, name)).get(address).text for name in lines}
    assert shown == {"ada": True, "casey": True, "bao": False}
    actions = TimelineEntry.objects.filter(ticket=cast.ticket, action="split").values_list("audience", "staff")
    assert [(audience, set(staff.values())) for audience, staff in actions] == [("staff", {None})]


def test_form_sent_twice_opens_one_ticket(cast: Cast) -> None:
    key = uuid4()
    assert split(cast, key=key) == split(cast, key=key)
    assert Ticket.objects.count() == 2


def test_deactivated_customer_gets_no_ticket(cast: Cast) -> None:
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    with pytest.raises(ValidationError, match="deactivated"):
        split(cast)


def test_page_shows_the_message_and_leads_to_the_new_ticket(cast: Cast) -> None:
    note = cast.reply(cast.dana, "Kryptonite", internal=True)
    address = f"{cast.ticket.get_absolute_url()}split/"
    bao, values = signed_in(cast.bao), {"subject": "New", "office": cast.billing.pk}
    page = bao.get(address, {"reply": note.pk}).text
    assert ("Kryptonite" in page, "does not see" in page, 'name="content"' in page) == (True, True, True)
    assert bao.post(f"{address}?reply={note.pk}", values).status_code == 422
    done = bao.post(f"{address}?reply={note.pk}", values | {"content": "Hello"})
    assert done["Location"] == Ticket.objects.get(subject="New").get_absolute_url()
    assert 'name="content"' not in bao.get(address).text
    assert bao.post(address, values | {"office": cast.orders.pk}).status_code == 422
    assert signed_in(cast.casey).get(address).status_code == 403
    assert signed_in(cast.emil).get(address).status_code == 404


def test_api_splits_a_message(cast: Cast) -> None:
    reply = cast.reply(cast.casey, "And my parcel?")
    path = f"tickets/{cast.ticket.uuid}/split/"
    answer = ApiClient(cast.bao).post(path, {"reply": str(reply.pk), "subject": "Parcel"})
    assert (answer.status_code, answer.json()["content"]) == (201, "And my parcel?")
    assert ApiClient(cast.bao).post(path, {"reply": str(uuid4()), "subject": "Parcel"}).status_code == 422
    assert ApiClient(cast.casey).post(path, {"subject": "Parcel"}).status_code == 403
