"""The open tickets of staff who leave are handed over: to a colleague, or to the unassigned ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from realtime.models import Broadcast
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tests.test_admin import filled_in, save, signed_in
from tickets import policies, services
from tickets.models import Ticket, TimelineEntry
from tickets.people import handover

pytestmark = pytest.mark.django_db


def assigned(cast: Cast, to: User, number: int = 1, **fields: Any) -> list[Ticket]:
    tickets = []
    for _ in range(number):
        ticket = services.open_ticket(by=cast.casey, subject="Assigned", content="x", office=cast.billing)
        services.update_ticket(ticket, by=cast.ada, values={"assigned_to": to, **fields})
        tickets.append(Ticket.objects.get(pk=ticket.pk))
    return tickets


def assignee(ticket: Ticket) -> User | None:
    return Ticket.objects.get(pk=ticket.pk).assigned_to


def page_of(person: User) -> str:
    return f"/admin/accounts/user/{person.pk}/change/"


def deactivated_in_admin(cast: Cast) -> None:
    assert save(signed_in(cast.ada), page_of(cast.bao), is_active=False).status_code == 302


def demoted_in_admin(cast: Cast) -> None:
    assert save(signed_in(cast.ada), page_of(cast.bao), role="customer").status_code == 302


def saved(cast: Cast) -> None:
    cast.bao.is_active = False
    cast.bao.save()


# Every way in which a person may stop being staff.
WAYS: dict[str, Callable[[Cast], object]] = {
    "service": lambda cast: handover.deactivate(cast.bao, by=cast.ada),
    "deactivated in the admin": deactivated_in_admin,
    "made a customer in the admin": demoted_in_admin,
    "command": lambda cast: call_command("deactivate_person", "bao@example.com"),
    "saved by code": saved,
    "updated by code": lambda cast: User.objects.filter(pk=cast.bao.pk).update(is_active=False),
    "role updated by code": lambda cast: User.objects.filter(pk=cast.bao.pk).update(role="customer"),
}


@pytest.mark.parametrize("way", WAYS)
def test_open_tickets_of_a_person_who_leaves_become_unassigned(cast: Cast, way: str) -> None:
    (ticket,) = assigned(cast, cast.bao)
    (closed,) = assigned(cast, cast.bao, status=cast.status("Closed"))
    (other,) = assigned(cast, cast.dana)
    WAYS[way](cast)
    assert [assignee(each) for each in (ticket, closed, other)] == [None, cast.bao, cast.dana]
    unassigned = signed_in(cast.dana).get("/tickets/?assignee=none").text
    assert str(ticket.uuid) in unassigned
    entry = TimelineEntry.objects.filter(ticket=ticket).last()
    assert (entry.action, entry.from_user, entry.to_user, entry.audience) == ("assigned_to", cast.bao, None, "public")
    now = Ticket.objects.get(pk=ticket.pk)
    assert (entry.number, entry.version) == (now.staff_seq, now.version)
    assert (now.version, now.public_seq) == (ticket.version + 1, ticket.public_seq + 1)


def test_admin_chooses_a_colleague_in_the_form(cast: Cast) -> None:
    tickets = assigned(cast, cast.bao, 2)
    client = signed_in(cast.ada)
    page = client.get(page_of(cast.bao)).text
    assert "2 open tickets are assigned to this person." in page
    assert save(client, page_of(cast.bao), is_active=False, assign_to=str(cast.dana.pk)).status_code == 302
    assert [assignee(ticket) for ticket in tickets] == [cast.dana, cast.dana]
    assert "2 open tickets were assigned to Dana Okafor." in client.get("/admin/").text
    entry = TimelineEntry.objects.filter(ticket=tickets[0]).last()
    assert (entry.actor, entry.to_user) == (cast.ada, cast.dana)


@pytest.mark.parametrize("name", ["bao", "casey", "hiro"])
def test_form_offers_only_colleagues_who_can_work_on_tickets(cast: Cast, name: str) -> None:
    (ticket,) = assigned(cast, cast.bao)
    client = signed_in(cast.ada)
    values = filled_in(client, page_of(cast.bao), is_active=False, assign_to=str(getattr(cast, name).pk))
    response = client.post(page_of(cast.bao), values)
    assert response.context["adminform"].form.errors["assign_to"]
    assert assignee(ticket) == cast.bao


def test_form_asks_only_where_there_are_open_tickets(cast: Cast) -> None:
    assigned(cast, cast.ada)
    client = signed_in(cast.ada)
    for person in (cast.dana, cast.casey, cast.ada):
        assert "assign_to" not in client.get(page_of(person)).text
    assert save(client, page_of(cast.dana), is_active=False).status_code == 302


def test_agent_who_leaves_an_office_keeps_their_tickets(cast: Cast) -> None:
    (ticket,) = assigned(cast, cast.bao)
    cast.billing.agents.remove(cast.bao)
    assert assignee(ticket) == cast.bao
    assert policies.is_staff_of(cast.bao, ticket)


def test_reopened_ticket_has_no_assignee_who_has_left(cast: Cast) -> None:
    (ticket, other) = assigned(cast, cast.bao, 2, status=cast.status("Closed"))
    handover.deactivate(cast.bao, by=cast.ada)
    services.add_reply(ticket, by=cast.casey, message="It broke again")
    services.update_ticket(other, by=cast.dana, values={"status": cast.status("Open")})
    assert (assignee(ticket), assignee(other)) == (None, None)


def test_service_keeps_an_admin_and_refuses_others(cast: Cast) -> None:
    (ticket,) = assigned(cast, cast.bao)
    for by in (cast.dana, cast.bao, cast.casey):
        with pytest.raises(PermissionDenied):
            handover.deactivate(cast.bao, by=by)
    with pytest.raises(ValidationError):
        handover.deactivate(cast.ada)
    with pytest.raises(ValidationError):
        handover.deactivate(cast.bao, by=cast.ada, to=cast.casey)
    assert assignee(ticket) == cast.bao
    assert User.objects.get(pk=cast.bao.pk).is_active


def test_command_names_the_colleague_and_the_admin(cast: Cast, capsys: Any) -> None:
    (ticket,) = assigned(cast, cast.bao)
    with pytest.raises(CommandError, match="active agents and admins"):
        call_command("deactivate_person", "bao@example.com", assign_to="casey@example.com")
    with pytest.raises(CommandError, match="Only another admin"):
        call_command("deactivate_person", "bao@example.com", by="dana@example.com")
    call_command("deactivate_person", "bao@example.com", assign_to="dana@example.com", by="ada@example.com")
    assert capsys.readouterr().out == "bao@example.com is deactivated. Tickets handed over: 1.\n"
    assert assignee(ticket) == cast.dana
    assert TimelineEntry.objects.filter(ticket=ticket).last().actor == cast.ada


def test_number_of_queries_is_bounded(cast: Cast) -> None:
    def queries(number: int) -> int:
        assigned(cast, cast.bao, number)
        with CaptureQueriesContext(connection) as captured:
            assert handover.hand_over(cast.bao, by=cast.ada, to=cast.dana) == number
        return len(captured)

    few = queries(3)
    assert queries(30) == few <= 23


def test_many_batches_are_handed_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "BATCH_SIZE", 2)
    tickets = assigned(cast, cast.bao, 5)
    assert handover.hand_over(cast.bao, by=cast.ada) == 5
    assert [assignee(ticket) for ticket in tickets] == [None] * 5


def test_customer_sees_the_new_assignee_as_the_site_names_staff(cast: Cast) -> None:
    (ticket,) = assigned(cast, cast.bao)
    handover.hand_over(cast.bao, by=cast.ada, to=cast.dana)
    event = Broadcast.objects.filter(event="ticket.updated").last()
    public = json.loads(event.public)
    assert public["changes"]["assigned_to"] == {"from": "Bao Nguyen", "to": "Dana Okafor"}
    assert public["seq"] == Ticket.objects.get(pk=ticket.pk).public_seq


async def test_open_pages_receive_each_handover(live_cast: Cast) -> None:
    cast = live_cast
    tickets = await do(lambda: assigned(cast, cast.bao, 2))
    agent, customer = (
        await subscribe(cast.dana, cast.billing.channel),
        await subscribe(cast.casey, cast.casey.channel),
    )
    await do(lambda: handover.deactivate(cast.bao, by=cast.ada))
    for socket in (agent, customer):
        received = [await socket.event("ticket.updated") for _ in tickets]
        assert {event["ticket"]["uuid"] for event in received} == {str(ticket.uuid) for ticket in tickets}
        assert [event["ticket"]["assigned_to"] for event in received] == [None, None]
        await socket.close()
