"""Read marks: what is unread for each user, and which of their pages show it."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from realtime.broadcasting import history
from tests.support.cast import Cast
from tickets import policies, reading, services
from tickets.models import ReadMark, Reply, Ticket

pytestmark = pytest.mark.django_db


def unread(user: User) -> set[str]:
    """Return the subjects of the unread tickets in the list of `user`."""
    tickets = reading.with_unread(policies.listed_tickets(user), user)
    return {ticket.subject for ticket in tickets if ticket.is_unread}


def read(cast: Cast, by: User, up_to: Reply | None = None) -> bool:
    return reading.mark_read(Ticket.objects.get(pk=cast.ticket.pk), by=by, up_to=up_to)


def events(user: User, channel: str, start: str) -> list[dict[str, Any]]:
    return [event["data"] for event in history.read(user, [channel], start).events if event["event"] == "ticket.read"]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_new_ticket_is_unread_for_staff_and_not_for_its_creator(cast):
    assert unread(cast.bao) == unread(cast.ada) == {"Charged twice"}
    assert unread(cast.casey) == set()


def test_reply_is_unread_until_it_was_seen(cast):
    read(cast, cast.bao)
    assert unread(cast.bao) == set()
    reply = cast.reply(cast.casey, "Hello?")
    assert unread(cast.bao) == {"Charged twice"}
    assert not reading.has_read(cast.bao, reply)
    assert read(cast, cast.bao, reply)
    assert unread(cast.bao) == set()
    assert reading.has_read(cast.bao, reply)


def test_mark_never_moves_back_by_reading(cast):
    first, second = cast.reply(cast.casey, "One"), cast.reply(cast.casey, "Two")
    assert read(cast, cast.bao, second)
    assert not read(cast, cast.bao, first)
    assert reading.has_read(cast.bao, second)


def test_note_is_unread_for_staff_only(cast):
    read(cast, cast.dana)
    cast.reply(cast.bao, "Secret", internal=True)
    assert unread(cast.dana) == {"Charged twice"}
    assert unread(cast.casey) == set()


def test_own_message_is_read_only_after_all_before_it(cast):
    read(cast, cast.bao)
    own = cast.reply(cast.bao, "Mine")
    assert reading.has_read(cast.bao, own)
    theirs = cast.reply(cast.casey, "Theirs")
    cast.reply(cast.bao, "Mine again")
    assert not reading.has_read(cast.bao, theirs)
    assert unread(cast.bao) == {"Charged twice"}
    read(cast, cast.bao, theirs)
    assert unread(cast.bao) == set()


def test_published_note_is_unread_for_the_customer_and_a_hidden_reply_no_longer(cast):
    note = cast.reply(cast.bao, "Note", internal=True)
    services.change_visibility(note, by=cast.bao, internal=False)
    assert unread(cast.casey) == {"Charged twice"}
    services.change_visibility(note, by=cast.bao, internal=True)
    assert unread(cast.casey) == set()


def test_deleted_reply_is_no_longer_unread(cast):
    reply = cast.reply(cast.bao, "Mistake")
    services.delete_reply(reply, by=cast.bao)
    assert unread(cast.casey) == set()


def test_messages_from_before_the_account_count_as_read(cast):
    late = User.objects.create_user("late@example.com", name="Late", role=User.Role.ADMIN)
    assert unread(late) == set()
    cast.reply(cast.casey, "New")
    assert unread(late) == {"Charged twice"}


def test_marked_unread_until_it_is_read_again(cast):
    reply = cast.reply(cast.casey, "Hello?")
    read(cast, cast.bao, reply)
    assert signed_in(cast.bao).post(f"/tickets/{cast.ticket.uuid}/unread/").url == "/tickets/"
    assert unread(cast.bao) == {"Charged twice"}
    assert reading.reading_of(cast.bao, cast.ticket).first_unread == reply
    read(cast, cast.bao, reply)
    assert unread(cast.bao) == set()


def test_only_the_readers_own_channel_carries_the_mark(live_cast):
    cast, start = live_cast, history.current_cursor()
    reply = cast.reply(cast.casey, "Hello?")
    read(cast, cast.bao, reply)
    read(cast, cast.bao, reply)
    (event,) = events(cast.bao, cast.bao.channel, start)
    assert event.keys() == {"ticket", "last_read", "is_unread", "event_id", "timestamp"}
    assert (event["ticket"], event["last_read"]) == ({"uuid": str(cast.ticket.uuid)}, {"id": str(reply.pk)})
    assert event["is_unread"] is False
    for person in (cast.casey, cast.dana, cast.ada):
        assert events(person, cast.ticket.channel, start) == []
        assert events(person, person.channel, start) == []


def test_page_reports_what_was_seen(cast):
    reply = cast.reply(cast.casey, "Hello?")
    address = f"/tickets/{cast.ticket.uuid}/read/"
    assert signed_in(cast.bao).post(address, {"reply": str(reply.pk)}).status_code == 204
    assert reading.has_read(cast.bao, reply)
    note = cast.reply(cast.bao, "Secret", internal=True)
    casey = signed_in(cast.casey)
    assert casey.post(address, {"reply": str(note.pk)}).status_code == 404
    assert casey.post(address, {"reply": "x"}).status_code == 404
    assert signed_in(cast.greta).post(address).status_code == 404
    assert not reading.has_read(cast.casey, note)
    assert not ReadMark.objects.filter(user=cast.greta).exists()


def test_page_without_scripts_marks_what_it_shows(cast):
    reply = cast.reply(cast.bao, "Done")
    casey, greta = signed_in(cast.casey), signed_in(cast.greta)
    page = casey.get(cast.ticket.get_absolute_url()).text
    picture = page.split('<noscript><img src="')[1].split('"')[0]
    assert not reading.has_read(cast.casey, reply)
    assert casey.head(picture).status_code == 200
    assert greta.get(picture).status_code == 404
    assert signed_in(cast.bao).get(picture).status_code == 200
    assert not ReadMark.objects.filter(ticket=cast.ticket).exists()
    assert casey.get(picture)["Content-Type"] == "image/gif"
    assert reading.has_read(cast.casey, reply)


def test_ticket_opens_at_its_first_unread_reply(cast):
    read(cast, cast.casey)
    first = cast.reply(cast.bao, "First")
    cast.reply(cast.bao, "Second")
    page = signed_in(cast.casey).get(cast.ticket.get_absolute_url()).text
    assert page.index('class="new-line"') < page.index(f"reply-{first.pk}")
    assert page.count('class="new-line"') == 2  # with the template
    assert signed_in(cast.ada).get(cast.ticket.get_absolute_url()).text.count('class="new-line"') == 1


def test_rows_show_the_latest_message_that_the_user_may_read(cast):
    reply = cast.reply(cast.bao, "The **answer**\nand more")
    note = cast.reply(cast.dana, "Secret", internal=True)
    rows = {}
    for person in (cast.casey, cast.ada, cast.greta):
        answer = signed_in(person).get(f"/tickets/rows/?ticket={cast.ticket.uuid}&ticket=x").json()
        rows[person.name] = answer["rows"].get(str(cast.ticket.uuid))
    assert rows["Casey Rivers"]["last"]["id"] == str(reply.pk)
    assert rows["Casey Rivers"]["last"]["preview"] == "The **answer** and more"
    assert rows["Ada Admin"]["last"]["id"] == str(note.pk)
    assert rows["Greta Lindqvist"] is None
    assert "Secret" not in json.dumps(rows["Casey Rivers"])
    assert "Secret" not in signed_in(cast.casey).get("/tickets/").text
    assert "Secret" in signed_in(cast.ada).get("/tickets/").text


def test_counter_has_the_tickets_that_concern_the_user(cast):
    assert reading.unread_number(cast.bao) == 0
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    assert reading.unread_number(cast.bao) == 1
    assert reading.unread_number(cast.casey) == 0
    cast.reply(cast.bao, "Done")
    assert reading.unread_number(cast.casey) == 1
    services.update_ticket(cast.ticket, by=cast.ada, values={"status": cast.status("Closed")})
    assert reading.unread_number(cast.bao) == 0
    assert signed_in(cast.casey).get("/tickets/unread/").json() == {"unread": 1}
