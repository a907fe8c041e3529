"""Bulk changes: each ticket is changed through the service, and each failure is reported."""

import json
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from realtime.models import Broadcast
from tests.support.cast import Cast
from tickets import services
from tickets.models import Macro, Reply, Ticket

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


@pytest.fixture
def tickets(cast: Cast) -> list[Ticket]:
    """Three tickets of Billing."""
    others = [
        services.open_ticket(by=cast.greta, subject=subject, content="x", office=cast.billing)
        for subject in ("Second", "Third")
    ]
    return [cast.ticket, *others]


def change(user: User, selected: list[Ticket], *, as_program: bool = True, **fields):
    client = Client()
    client.force_login(user)
    fields = {"tickets": [str(ticket.uuid) for ticket in selected], **fields}
    return client.post("/tickets/bulk/", fields, headers=JSON if as_program else {}, follow=not as_program)


def test_agent_changes_all_selected_tickets(cast, tickets):
    answer = change(
        cast.bao, tickets, status=cast.status("On Hold").pk, priority=cast.priority("High").pk, assigned_to="me"
    )
    assert answer.json() | {"undo": ""} == {"changed": 3, "message": "3 tickets updated.", "refused": [], "undo": ""}
    for ticket in Ticket.objects.all():
        assert (ticket.status.name, ticket.priority.name, ticket.assigned_to) == ("On Hold", "High", cast.bao)
    change(cast.bao, tickets, assigned_to="none")
    assert not Ticket.objects.exclude(assigned_to=None).exists()
    change(cast.bao, tickets[:1], assigned_to=str(cast.emil.pk))
    assert Ticket.objects.get(assigned_to=cast.emil) == tickets[0]


def test_each_change_broadcasts_its_own_events(cast, tickets):
    before = Broadcast.objects.count()
    change(cast.bao, tickets, status=cast.status("On Hold").pk, priority=cast.priority("High").pk)
    names = Broadcast.objects.order_by("pk").values_list("event", flat=True)[before:]
    assert sorted(names) == ["ticket.status.changed"] * 3 + ["ticket.updated"] * 3


def test_tickets_are_changed_and_moved_in_one_request(cast, tickets):
    answer = change(cast.bao, tickets, office=cast.orders.pk, priority=cast.priority("High").pk)
    assert answer.json()["changed"] == 3
    assert {(ticket.office, ticket.priority.name) for ticket in Ticket.objects.all()} == {(cast.orders, "High")}


def test_failed_tickets_are_reported_and_the_rest_changed(cast, tickets):
    own = services.open_ticket(by=cast.bao, subject="Bao asks", content="x", office=cast.orders)
    services.update_ticket(tickets[1], by=cast.ada, values={"office": cast.orders})
    answer = change(cast.bao, [*tickets, own], status=cast.status("On Hold").pk).json()
    assert answer["changed"] == 2
    assert {(refusal["uuid"], refusal["reference"], refusal["reason"]) for refusal in answer["refused"]} == {
        (str(tickets[1].uuid), "", "Not found. It may have been moved or deleted."),
        (str(own.uuid), own.reference, "Only staff with access to this ticket can change it."),
    }
    assert Ticket.objects.filter(status__name="On Hold").count() == 2


def test_invisible_and_missing_tickets_are_reported_alike(cast, tickets):
    services.update_ticket(tickets[1], by=cast.ada, values={"office": cast.orders})
    nothing = Ticket(reference="XXX-XXXX")
    answer = change(cast.bao, [tickets[1], nothing], status=cast.status("On Hold").pk).json()
    real, unreal = ({**refusal, "uuid": ""} for refusal in answer["refused"])
    assert real == unreal
    assert tickets[1].reference not in json.dumps(answer)


def test_ticket_with_one_failed_change_keeps_all_values(cast, tickets, monkeypatch):
    def fail(ticket: Ticket, field: str, *_: object) -> None:
        if ticket == tickets[1] and field == "priority":
            assert ticket.status == cast.status("On Hold")
            raise ValidationError({"priority": "Dana has meanwhile set this."})

    monkeypatch.setattr(services, "_check_conflict", fail)
    answer = change(cast.bao, tickets, status=cast.status("On Hold").pk, priority=cast.priority("High").pk).json()
    assert [(each["reference"], each["reason"]) for each in answer["refused"]] == [
        (tickets[1].reference, "Dana has meanwhile set this.")
    ]
    assert [ticket.status.name for ticket in Ticket.objects.order_by("pk")] == ["On Hold", "Open", "On Hold"]


def test_tickets_are_locked_in_a_fixed_order(cast, tickets, monkeypatch):
    taken = []
    monkeypatch.setattr(services, "update_ticket", lambda ticket, **_: taken.append(ticket.pk) or ticket)
    for order in (tickets, tickets[::-1]):
        change(cast.bao, order, priority=cast.priority("High").pk)
    assert taken == sorted(taken[:3]) * 2


@pytest.mark.parametrize(
    ("fields", "field", "error"),
    [
        ({}, "__all__", "Choose at least one change."),
        ({"status": "999"}, "status", "Unknown value. Choose one of: "),
        ({"status": "x\x00"}, "status", "Unknown value. Choose one of: "),
        ({"assigned_to": "casey"}, "assigned_to", "Unknown value. Choose one of: "),
        ({"tickets": [], "status": "1"}, "__all__", "Select at least one ticket."),
        ({"tickets": ["x"], "status": "1"}, "__all__", "The selection is invalid."),
        (
            {"tickets": [f"{number:032x}" for number in range(101)], "status": "1"},
            "__all__",
            "Select at most 100 tickets",
        ),
    ],
)
def test_invalid_request_changes_nothing_and_names_the_error(cast, tickets, fields, field, error):
    answer = change(cast.bao, tickets, **fields)
    assert answer.status_code == 422
    assert answer.json()["errors"][field][0].startswith(error)
    page = change(cast.bao, tickets, as_program=False, **fields)
    assert error in page.text
    assert set(Ticket.objects.values_list("version", flat=True)) == {1}


def test_customers_cannot_be_assigned(cast, tickets):
    assert change(cast.bao, tickets, assigned_to=str(cast.casey.pk)).status_code == 422


def test_customers_cannot_change_tickets(cast, tickets):
    assert change(cast.casey, tickets, status=cast.status("Closed").pk).status_code == 403
    assert "row-check" not in change(cast.greta, [], as_program=False).text
    client = Client()
    client.force_login(cast.casey)
    assert 'id="bulk"' not in client.get("/tickets/").text
    assert Ticket.objects.filter(status__name="Closed").count() == 0


def test_result_is_shown_in_the_list_without_scripts(cast, tickets):
    services.update_ticket(tickets[1], by=cast.ada, values={"office": cast.orders})
    status, back = cast.status("On Hold").pk, "status=all&q=second"
    page = change(cast.bao, tickets, as_program=False, status=status, back=back)
    assert page.redirect_chain == [("/tickets/?status=all&q=second", 302)]
    assert "2 tickets updated." in page.text
    assert "A selected ticket: Not found" in page.text


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "\r\nX: y", "next=//evil.example", "a\x00b"]
)
def test_redirect_never_leaves_the_list(cast, tickets, back):
    client = Client()
    client.force_login(cast.bao)
    response = client.post("/tickets/bulk/", {"back": back})
    assert response["Location"].startswith("/tickets/?")


def test_only_changeable_rows_can_be_selected(cast, tickets):
    services.open_ticket(by=cast.bao, subject="Bao asks", content="x", office=cast.orders)
    client = Client()
    client.force_login(cast.bao)
    page = client.get("/tickets/").text
    rows = page.split('<tr id="ticket-')[1:5]
    selectable = {("Bao asks" in row): '<label class="check">' in row for row in rows}
    assert selectable == {True: False, False: True}


def test_macro_is_applied_to_each_ticket_and_failures_are_named(cast, tickets):
    """One ticket is closed, and cannot be snoozed; the others get all that the macro names."""
    closed = tickets[1]
    services.update_ticket(closed, by=cast.bao, values={"status": cast.status("Closed")})
    actions = {"snooze": "tomorrow", "reply": "Hi {{customer.first_name}}"}
    macro, key = Macro.objects.create(name="Later", owner=cast.bao, actions=actions), uuid4()
    answer = change(cast.bao, tickets, macro=macro.pk, key=key).json()
    assert answer["changed"] == 2
    (refused,) = answer["refused"]
    assert (refused["reference"], refused["reason"]) == (closed.reference, "A closed ticket can't be snoozed.")
    assert sorted(reply.message for reply in Reply.objects.all()) == ["Hi Casey", "Hi Greta"]
    change(cast.bao, tickets, macro=macro.pk, key=key)
    assert Reply.objects.count() == 2


def test_list_says_what_each_usable_macro_does(cast):
    Macro.objects.create(name="Later", owner=cast.bao, actions={"snooze": "tomorrow"})
    Macro.objects.create(name="Dana's", owner=cast.dana, actions={"snooze": "later"})
    client = Client()
    client.force_login(cast.bao)
    page = client.get("/tickets/").text
    assert "Snooze: Tomorrow at 9:00" in page
    assert "Dana&#x27;s" not in page
