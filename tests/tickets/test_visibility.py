"""Visibility changes: a published note is a new reply, and a hidden reply looks deleted to customers."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from realtime.broadcasting import history
from realtime.models import Broadcast
from tests.support.api_client import ApiClient
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tests.tickets.files.test_files import PNG
from tickets import files, services
from tickets.models import Reply, Ticket

pytestmark = pytest.mark.django_db

CREATED, UPDATED, DELETED = "ticket.reply.created", "ticket.reply.updated", "ticket.reply.deleted"
NOTIFIED = "ticket.notified"
# Keys, times, references, cursors, CSRF tokens and nonces.
RANDOM = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ][\d:.]+(Z|\+00:00)|[0-9B-Z]{3}-[0-9B-Z]{4}"
    r'|\d+ \w+( \d{4})?, \d\d:\d\d|\bgAAAA[\w%=-]+|csrf[^>]*>|nonce="[^"]+"'
)


def file_of(person: User, name: str) -> Any:
    return files.store(SimpleUploadedFile(name, PNG), by=person)


def ask(cast: Cast) -> Ticket:
    return services.open_ticket(by=cast.casey, subject="Late", content="Where is it?", office=cast.billing)


def say(ticket: Ticket, by: User, message: str = "Unpaid for April", *, internal: bool = False) -> Reply:
    attachments = [file_of(by, "april.png")]
    return services.add_reply(ticket, by=by, message=message, internal=internal, attachments=attachments)


def change_visibility(reply: Reply, by: User, *, internal: bool) -> Reply:
    return services.change_visibility(reply, by=by, internal=internal)


def read_events(user: User, channel: str, since: str) -> list[dict[str, Any]]:
    return history.read(user, [channel], since).events


def everything(user: User, ticket: Ticket, since: str) -> str:
    """Return everything that a user can get of a ticket, without random and current values."""
    program, path, browser = ApiClient(user), f"tickets/{ticket.uuid}/", Client()
    browser.force_login(user)
    answers = [program.get(f"{path}{more}").text for more in ("", "replies/", "timeline/")]
    pages = [
        browser.get(address).text for address in (ticket.get_absolute_url(), "/", "/tickets/?status=all&q=April")
    ]
    mine = [
        event
        for event in read_events(user, user.channel, since)
        if event["data"]["ticket"]["uuid"] == str(ticket.uuid)
    ]
    return RANDOM.sub(
        "-", "\n".join([*answers, *pages, json.dumps([read_events(user, ticket.channel, since), mine])])
    )


def test_published_note_looks_like_a_new_reply(cast: Cast) -> None:
    """Two sites that differ only in that give the customer the same responses; times are those of the publication."""
    seen = {}
    for was_note in (True, False):
        Ticket.objects.all().delete()
        ticket, since = ask(cast), history.current_cursor()
        note = say(ticket, cast.bao, internal=True) if was_note else None
        services.add_reply(ticket, by=cast.casey, message="Any news?")
        services.update_ticket(ticket, by=cast.bao, values={"status": cast.status("On Hold")})
        if note is not None:
            change_visibility(note, cast.dana, internal=False)
        else:
            say(ticket, cast.bao)
        seen[was_note] = everything(cast.casey, ticket, since)
        staffs = read_events(cast.dana, ticket.channel, since)
        assert (UPDATED in [event["event"] for event in staffs]) == was_note
    assert "Unpaid for April" in seen[True]
    assert seen[True] == seen[False]


def test_hidden_reply_looks_like_a_deleted_one(cast: Cast) -> None:
    seen = {}
    for is_hidden in (True, False):
        Ticket.objects.all().delete()
        ticket, since = ask(cast), history.current_cursor()
        reply = say(ticket, cast.bao)
        assert "april.png" in everything(cast.casey, ticket, since)
        services.add_reply(ticket, by=cast.casey, message="Any news?")
        if is_hidden:
            change_visibility(reply, cast.ada, internal=True)
        else:
            services.delete_reply(reply, by=cast.ada)
        seen[is_hidden] = everything(cast.casey, ticket, since)
        staffs = ApiClient(cast.dana).get(f"tickets/{ticket.uuid}/replies/").text
        assert ("Unpaid" in staffs, "april.png" in staffs) == (is_hidden, is_hidden)
    assert ("Unpaid" in seen[True], "april.png" in seen[True]) == (False, False)
    assert seen[True] == seen[False]


def test_published_note_has_position_and_time_of_publication(cast: Cast) -> None:
    note = cast.reply(cast.bao, "It was our mistake", internal=True)
    between = cast.reply(cast.casey, "Any news?")
    change_visibility(note, cast.dana, internal=False)
    ticket = Ticket.objects.get(pk=cast.ticket.pk)
    for person in (cast.casey, cast.bao):
        replies = ApiClient(person).get(f"tickets/{ticket.uuid}/replies/").json()["results"]
        assert [row["message"] for row in replies] == ["Any news?", "It was our mistake"]
    note.refresh_from_db()
    assert between.created_at < note.created_at == ticket.public_updated_at


def test_each_audience_receives_one_event_without_sequence_gap(cast: Cast) -> None:
    since = history.current_cursor()
    note, reply = cast.reply(cast.bao, "A note", internal=True), cast.reply(cast.bao, "An answer")
    for internal in (False, True, False):
        change_visibility(note, cast.dana, internal=internal)
    change_visibility(reply, cast.dana, internal=True)
    cast.reply(cast.casey, "Hm")
    customers = [CREATED, CREATED, DELETED, CREATED, DELETED, CREATED]
    staffs = [CREATED, CREATED, UPDATED, UPDATED, UPDATED, UPDATED, CREATED]
    for person, channel, events in (
        (cast.casey, cast.ticket.channel, customers),
        (cast.casey, cast.casey.channel, customers),
        (cast.bao, cast.ticket.channel, staffs),
        (cast.bao, cast.billing.channel, staffs),
    ):
        received = [event for event in read_events(person, channel, since) if event["event"] != NOTIFIED]
        assert [event["event"] for event in received] == events
        assert [event["data"]["seq"] for event in received] == list(range(2, 2 + len(events)))


def test_staff_event_has_new_visibility_and_actor(cast: Cast) -> None:
    note, since = cast.reply(cast.bao, "A note", internal=True), history.current_cursor()
    change_visibility(note, cast.dana, internal=False)
    (event,) = read_events(cast.bao, cast.ticket.channel, since)
    assert event["data"].keys() == {
        "ticket", "audience", "seq", "reply", "updated_by", "event_id", "timestamp",
    }  # fmt: skip
    reply = event["data"]["reply"]
    assert (reply["is_internal"], reply["version"], reply["can_be_hidden"]) == (False, 3, True)
    assert event["data"]["updated_by"]["name"] == "Dana Okafor"


def test_timeline_of_visibility_changes_per_audience(cast: Cast) -> None:
    note = cast.reply(cast.bao, "A note", internal=True)
    change_visibility(note, cast.dana, internal=False)
    change_visibility(note, cast.ada, internal=True)

    def lines(person: User) -> list[tuple[str, str]]:
        found = ApiClient(person).get(f"tickets/{cast.ticket.uuid}/timeline/").json()["results"][1:]
        return [(line["action"], line["actor"]["name"]) for line in found]

    assert lines(cast.casey) == [("replied", "Bao Nguyen"), ("deleted", "Ada Admin")]
    assert lines(cast.bao) == [("noted", "Bao Nguyen"), ("published", "Dana Okafor"), ("hidden", "Ada Admin")]


def test_files_and_search_follow_the_visibility(cast: Cast) -> None:
    note = say(cast.ticket, cast.bao, internal=True)
    (file,) = note.attachments.all()
    casey = Client()
    casey.force_login(cast.casey)

    def reads() -> list[bool]:
        addresses = [f"/files/{file.pk}/", f"/files/{file.pk}/view/"]
        found = []
        for address in addresses:
            response = casey.get(address)
            response.close()
            found.append(response.status_code == 200)
        return [*found, bool(casey.get("/tickets/?q=April").context["rows"])]

    assert reads() == [False, False, False]
    change_visibility(note, cast.bao, internal=False)
    assert reads() == [True, True, True]
    change_visibility(note, cast.bao, internal=True)
    assert reads() == [False, False, False]


def test_published_note_waits_for_the_customer(cast: Cast) -> None:
    note = cast.reply(cast.bao, "Which charge?", internal=True)
    cast.reply(cast.casey, "Hello?")
    casey = Client()
    casey.force_login(cast.casey)
    waiting = []
    for internal in (False, True):
        change_visibility(note, cast.bao, internal=internal)
        waiting.append(casey.get("/tickets/counts/").json()["counts"]["waiting"])
    assert waiting == [1, 0]


def test_only_staff_change_visibility_and_not_of_customer_messages(cast: Cast) -> None:
    note, reply = cast.reply(cast.bao, "A note", internal=True), cast.reply(cast.bao, "An answer")
    own = cast.reply(cast.casey, "My number is 5")
    for person in (cast.casey, cast.greta, cast.emil, cast.fatima):
        for message, internal in ((note, False), (reply, True)):
            with pytest.raises(PermissionDenied):
                change_visibility(message, person, internal=internal)
    for person in (cast.bao, cast.ada):
        with pytest.raises(PermissionDenied):
            change_visibility(own, person, internal=True)
    assert change_visibility(note, cast.dana, internal=False).audience == "public"
    assert change_visibility(reply, cast.ada, internal=True).audience == "staff"


def test_agents_own_request_cannot_be_hidden_from_them(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    own = services.add_reply(ticket, by=cast.bao, message="Any news?")
    note = services.add_reply(ticket, by=cast.emil, message="A chair a month", internal=True)
    for message, by, internal in ((own, cast.emil, True), (note, cast.bao, False)):
        with pytest.raises(PermissionDenied):
            change_visibility(message, by, internal=internal)
    assert not change_visibility(note, cast.emil, internal=False).is_internal


def test_unchanged_visibility_broadcasts_nothing(cast: Cast) -> None:
    note, reply = cast.reply(cast.bao, "A note", internal=True), cast.reply(cast.casey, "Hm")
    before = (Broadcast.objects.count(), Ticket.objects.values().get(), list(Reply.objects.values()))
    change_visibility(note, cast.dana, internal=True)
    change_visibility(reply, cast.dana, internal=False)
    assert (Broadcast.objects.count(), Ticket.objects.values().get(), list(Reply.objects.values())) == before


def test_log_keeps_no_text_of_a_deleted_former_note(cast: Cast) -> None:
    note = say(cast.ticket, cast.bao, internal=True)
    change_visibility(note, cast.bao, internal=False)
    change_visibility(note, cast.bao, internal=True)
    assert Broadcast.objects.filter(event=CREATED, staff__contains="Unpaid").exists()
    assert not Broadcast.objects.filter(public__contains="Unpaid").exists()
    services.delete_reply(note, by=cast.bao)
    for word in ("Unpaid", "april.png"):
        assert not Broadcast.objects.filter(staff__contains=word).exists()


@pytest.mark.parametrize("internal", [False, True], ids=["reply", "note"])
def test_repeated_form_does_not_undo_a_visibility_change(cast: Cast, internal: bool) -> None:
    words = {"by": cast.bao, "message": "An answer", "internal": internal, "key": uuid4()}
    reply = services.add_reply(cast.ticket, **words)
    change_visibility(reply, cast.dana, internal=not internal)
    assert services.add_reply(cast.ticket, **words) == reply
    assert Reply.objects.get().is_internal is not internal


# The page


def send(user: User, reply: Reply, visibility: str | None, seen: int | None = None, **headers: str) -> Any:
    client = Client()
    client.force_login(user)
    fields = {"reply": str(reply.pk), "visibility": visibility, "seen": seen}
    sent = {name: value for name, value in fields.items() if value is not None}
    return client.post(f"/tickets/{reply.ticket.uuid}/visibility/", sent, headers=headers)


def test_page_changes_visibility_without_scripts(cast: Cast) -> None:
    note = cast.reply(cast.bao, "A note", internal=True)
    response = send(cast.dana, note, "public", note.number)
    assert response.url == f"{cast.ticket.get_absolute_url()}?reply={note.pk}#reply-{note.pk}"
    assert not Reply.objects.get().is_internal


def test_stale_visibility_change_is_rejected(cast: Cast) -> None:
    note = cast.reply(cast.bao, "A note", internal=True)
    seen = note.number
    change_visibility(note, cast.dana, internal=False)
    assert send(cast.bao, note, "public", seen, accept="application/json").status_code == 204
    change_visibility(note, cast.dana, internal=True)
    refused = send(cast.bao, note, "public", seen, accept="application/json")
    assert (refused.status_code, list(refused.json()["errors"])) == (409, ["__all__"])
    page = send(cast.bao, note, "public", seen)
    assert page.status_code == 409
    assert "changed who can see it" in page.text
    assert Reply.objects.get().is_internal
    assert send(cast.bao, note, "public", Reply.objects.get().number).status_code == 302


def test_form_without_visibility_publishes_nothing(cast: Cast) -> None:
    note = cast.reply(cast.bao, "A note", internal=True)
    assert send(cast.bao, note, None).status_code == 422
    for visibility in (None, "", "everyone"):
        assert send(cast.bao, note, visibility, accept="application/json").status_code == 422
    assert Reply.objects.get().is_internal


def test_customer_cannot_see_notes_or_change_visibility(cast: Cast) -> None:
    note, reply = cast.reply(cast.bao, "A note", internal=True), cast.reply(cast.bao, "An answer")
    assert (send(cast.casey, note, "public").status_code, send(cast.casey, reply, "internal").status_code) == (
        404,
        403,
    )
    elsewhere = services.add_reply(ask(cast), by=cast.casey, message="Hm")
    elsewhere.ticket = cast.ticket
    assert send(cast.bao, elsewhere, "public").status_code == 404


def test_visibility_button_is_for_staff_and_not_customer_messages(cast: Cast) -> None:
    cast.reply(cast.casey, "Hm")
    cast.reply(cast.bao, "An answer")

    def offers(person: User) -> list[bool]:
        client = Client()
        client.force_login(person)
        page = client.get(cast.ticket.get_absolute_url()).text.split('id="replies"')[1].split("<template")[0]
        return [not switch for switch in re.findall(r'<details data-if="can_be_hidden" *(hidden)?>', page)]

    assert (offers(cast.casey), offers(cast.bao)) == ([], [True])


# The API


def test_api_changes_visibility_of_the_given_version(cast: Cast) -> None:
    note = cast.reply(cast.bao, "A note", internal=True)
    path, bao = f"tickets/{cast.ticket.uuid}/replies/{note.pk}/", ApiClient(cast.bao)
    seen = bao.get(path)["ETag"]
    made = bao.patch(path, {"is_internal": False}, If_Match=seen)
    assert (made.status_code, made.json()["is_internal"], made.json()["version"]) == (200, False, 3)
    assert made["ETag"] == '"3"' == bao.get(path)["ETag"]
    assert bao.patch(path, {"is_internal": True}, If_Match=seen).status_code == 412
    assert bao.patch(path, {"is_internal": False}, If_Match=seen).status_code == 200
    assert bao.patch(path, {}, If_Match="*").status_code == 422
    casey = ApiClient(cast.casey).get(path)
    assert ("ETag" in casey, "version" in casey.json(), casey.json()["is_internal"]) == (False, False, False)
    assert bao.patch(path, {"is_internal": True}).status_code == 200


# Live


async def test_hidden_reply_disappears_live_for_customers_only(live_cast: Cast) -> None:
    reply = await do(live_cast.reply, live_cast.bao, "Sorry, wrong window")
    customer = await subscribe(live_cast.casey, live_cast.ticket.channel)
    staff = await subscribe(live_cast.dana, live_cast.ticket.channel)
    await do(change_visibility, reply, live_cast.bao, internal=True)
    gone, kept = await customer.event(DELETED), await staff.event(UPDATED)
    assert gone["reply"] == {"id": str(reply.pk), "is_internal": False}
    assert (kept["reply"]["is_internal"], kept["reply"]["message"]) == (True, "Sorry, wrong window")
    for ear in (customer, staff):
        assert await ear.receives_nothing(live_cast.ticket.channel)
    await do(change_visibility, reply, live_cast.bao, internal=False)
    assert (await customer.event(CREATED))["reply"]["message"] == "Sorry, wrong window"
    assert not (await staff.event(UPDATED))["reply"]["is_internal"]
