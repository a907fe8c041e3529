"""Broadcast events: exact keys, the version of each audience, the order of each ticket."""

import json
import re
from typing import Any

import pytest

from accounts.models import User
from realtime.broadcasting import history
from tests.support.cast import Cast
from tickets import services
from tickets.links.services import link_tickets
from tickets.tags.services import add_tag

TICKET = {
    "uuid", "url", "reference", "subject", "status", "status_id", "is_closed", "priority", "priority_id", "office",
    "office_id", "creator", "opened_by", "participants", "assigned_to", "waiting_for", "waiting_since", "created_at",
    "updated_at",
}  # fmt: skip
STAMP = {"ticket", "audience", "seq", "event_id", "timestamp"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture
def start(cast: Cast) -> str:
    return history.current_cursor()


def read_events(user: User, channel: str, start: str) -> list[dict[str, Any]]:
    """Return what `user` can read of `channel` since `start`: [{event, data}, ...]."""
    return history.read(user, [channel], start).events


def test_reply_event_has_exactly_these_keys(cast: Cast, start: str) -> None:
    cast.reply(cast.bao, "Done **now**")
    (event,) = read_events(cast.casey, cast.ticket.channel, start)
    data = event["data"]
    assert event["event"] == "ticket.reply.created"
    assert data.keys() == STAMP | {"reply"}
    assert data["ticket"].keys() == TICKET
    assert data["reply"].keys() == {
        "id", "message", "message_html", "is_internal", "created_at", "edited_at", "editable_until", "user",
        "attachments",
    }  # fmt: skip
    assert data["reply"]["user"].keys() == {"id", "name", "role", "avatar_url"}
    assert data["reply"]["message_html"] == '<p dir="auto">Done <strong>now</strong></p>'
    assert MOMENT.fullmatch(data["timestamp"])
    assert MOMENT.fullmatch(data["reply"]["created_at"])


def test_edit_event_is_the_reply_with_its_new_text_and_the_log_forgets_the_old(cast: Cast, start: str) -> None:
    reply = cast.reply(cast.bao, "Draft")
    services.edit_reply(reply, by=cast.bao, message="Done **now**")
    created, edited = read_events(cast.casey, cast.ticket.channel, start)
    assert (edited["event"], edited["data"].keys()) == ("ticket.reply.edited", STAMP | {"reply"})
    assert edited["data"]["reply"].keys() == created["data"]["reply"].keys() - {"truncated"}
    assert edited["data"]["reply"]["message_html"] == '<p dir="auto">Done <strong>now</strong></p>'
    assert MOMENT.fullmatch(edited["data"]["reply"]["edited_at"])
    assert created["data"]["reply"]["truncated"]
    for person in (cast.casey, cast.bao):
        assert "Draft" not in json.dumps(read_events(person, cast.ticket.channel, start))


def test_status_event_has_both_colours(cast: Cast, start: str) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    (event,) = read_events(cast.casey, cast.ticket.channel, start)
    assert event["event"] == "ticket.status.changed"
    assert event["data"].keys() == STAMP | {"status_change", "changed_by"}
    change = event["data"]["status_change"]
    assert (change["from"]["name"], change["to"]["name"]) == ("Open", "Closed")
    assert change["to"].keys() == {"id", "name", "color"}
    assert event["data"]["changed_by"] == {"id": str(cast.bao.pk), "name": "Bao Nguyen", "role": "agent"}


def test_update_event_has_from_and_to(cast: Cast, start: str) -> None:
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil})
    services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("Urgent")})
    events = read_events(cast.casey, cast.ticket.channel, start)
    assert [event["data"]["changes"] for event in events] == [
        {"assigned_to": {"from": None, "to": "Emil Sørensen"}},
        {"priority": {"from": "Medium", "to": "Urgent"}},
    ]
    assert events[0]["data"].keys() == STAMP | {"changes", "updated_by"}


def test_tags_are_in_the_events_of_staff_only(cast: Cast, start: str) -> None:
    add_tag(cast.ticket, "refund", by=cast.bao)
    (event,) = read_events(cast.bao, cast.ticket.channel, start)
    assert event["data"]["changes"] == {"tags": {"from": None, "to": "refund"}}
    assert [tag.keys() for tag in event["data"]["ticket"]["tags"]] == [{"id", "name", "color"}]
    cast.reply(cast.bao, "An answer")
    (event,) = read_events(cast.casey, cast.ticket.channel, start)
    assert (event["event"], event["data"]["ticket"].keys()) == ("ticket.reply.created", TICKET)


def test_link_is_in_the_events_of_staff_and_names_no_ticket(cast: Cast, start: str) -> None:
    other = services.open_ticket(by=cast.greta, subject="Late", content="Where?", office=cast.orders)
    link_tickets(cast.ticket, other, by=cast.ada)
    cast.reply(cast.ada, "An answer")
    event, _reply = read_events(cast.bao, cast.ticket.channel, start)
    assert event["data"]["changes"] == {"linked": {"from": None, "to": None}}
    assert not [word for word in (other.reference, str(other.uuid), "Late") if word in json.dumps(event)]
    assert [event["event"] for event in read_events(cast.casey, cast.ticket.channel, start)] == [
        "ticket.reply.created"
    ]


def test_new_ticket_is_broadcast_to_office_and_creator(cast: Cast, start: str) -> None:
    services.open_ticket(by=cast.greta, subject="Late", content="Where?", office=cast.orders)
    for person, channel in ((cast.emil, cast.orders.channel), (cast.greta, cast.greta.channel)):
        (event,) = read_events(person, channel, start)
        assert event["event"] == "ticket.created"
        assert event["data"]["created_by"]["name"] == "Greta Lindqvist"
    assert read_events(cast.bao, cast.billing.channel, start) == []


def test_sequences_have_no_gap_for_any_audience(cast: Cast, start: str) -> None:
    cast.reply(cast.bao, "Answer")
    cast.reply(cast.bao, "Note", internal=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.bao})
    cast.reply(cast.bao, "Note", internal=True)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    cast.reply(cast.casey, "Again")
    seqs = {
        person: [event["data"]["seq"] for event in read_events(person, cast.ticket.channel, start)]
        for person in (cast.casey, cast.bao)
    }
    assert seqs == {cast.casey: [2, 3, 4, 5, 6], cast.bao: [2, 3, 4, 5, 6, 7, 8]}


def test_creator_who_is_an_agent_elsewhere_receives_no_note(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    services.update_ticket(ticket, by=cast.emil, values={"assigned_to": cast.fatima})
    start = history.current_cursor()
    services.add_reply(ticket, by=cast.emil, message="A chair breaks every month", internal=True)
    assert read_events(cast.bao, cast.bao.channel, start) == []
    events = [event["event"] for event in read_events(cast.fatima, cast.fatima.channel, start)]
    assert events == ["ticket.reply.created", "ticket.notified"]


def test_move_between_internal_offices_is_for_staff(cast: Cast) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.fraud})
    before = history.current_cursor()
    cellar = type(cast.fraud).objects.create(name="Cellar", is_internal=True)
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cellar})
    assert read_events(cast.casey, cast.ticket.channel, before) == []
    (event,) = read_events(cast.ada, cast.ticket.channel, before)
    assert event["data"]["changes"] == {"office": {"from": "Fraud Desk", "to": "Cellar"}}


def test_customers_do_not_see_internal_office_names(cast: Cast, start: str) -> None:
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.fraud})
    cast.reply(cast.ada, "We are on it")
    events = read_events(cast.casey, cast.ticket.channel, start)
    assert events[0]["data"]["changes"] == {"office": {"from": "Billing", "to": None}}
    assert "Fraud" not in json.dumps(events)
    assert "Fraud" in json.dumps(read_events(cast.ada, cast.ticket.channel, start))


def test_events_contain_no_email_address_and_no_counter(cast: Cast, start: str) -> None:
    cast.reply(cast.bao, "Answer")
    services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.bao})
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    for person in (cast.casey, cast.bao):
        events = read_events(person, cast.ticket.channel, start)
        assert len(events) == 3
        assert "@" not in json.dumps(events)
        assert all("id" not in event["data"]["ticket"] for event in events)


def test_event_of_a_too_long_reply_is_truncated(cast: Cast, start: str) -> None:
    cast.reply(cast.bao, "ü" * 9000)
    (event,) = read_events(cast.casey, cast.ticket.channel, start)
    assert event["data"]["truncated"]
    assert event["data"]["reply"]["truncated"]
    assert event["data"]["reply"]["message"] == ""


def test_recipients_of_a_reply_on_an_unassigned_ticket(cast: Cast, start: str) -> None:
    cast.reply(cast.casey, "Anybody?")
    assert len(read_events(cast.dana, cast.billing.channel, start)) == 1
