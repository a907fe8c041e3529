"""Undo of bulk changes: what has not changed since is as before, and the rest is named."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from realtime.models import Broadcast
from tests.support.cast import Cast
from tickets import services
from tickets.models import Ticket
from tickets.tags.services import add_tag

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}
GONE = "Not found. It may have been moved or deleted."


@pytest.fixture
def tickets(cast: Cast) -> list[Ticket]:
    """Three tickets of Billing."""
    others = [
        services.open_ticket(by=cast.greta, subject=subject, content="x", office=cast.billing)
        for subject in ("Second", "Third")
    ]
    return [cast.ticket, *others]


def send(user: User, path: str, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/tickets/bulk/{path}", fields, headers=JSON)


def change(user: User, selected: list[Ticket], **fields: Any) -> str:
    answer = send(user, "", tickets=[str(ticket.uuid) for ticket in selected], **fields).json()
    assert answer["refused"] == []
    return str(answer["undo"])


def undo(user: User, token: str) -> dict[str, Any]:
    answer = send(user, "undo/", undo=token)
    assert answer.status_code == 200
    return dict(answer.json())


def after(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    moment = timezone.now() + timedelta(minutes=minutes)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def facts() -> dict[str, tuple[Any, ...]]:
    return {
        ticket.subject: (
            ticket.status.name, ticket.priority.name, ticket.assigned_to, ticket.office, ticket.snoozed_until,
            [tag.name for tag in ticket.tags.all()],
        )
        for ticket in Ticket.objects.select_related("status", "priority", "assigned_to", "office")
    }  # fmt: skip


def test_undo_restores_what_each_ticket_had(cast: Cast, tickets: list[Ticket]) -> None:
    services.update_ticket(
        tickets[0], by=cast.bao, values={"priority": cast.priority("Urgent"), "assigned_to": cast.dana}
    )
    services.update_ticket(tickets[1], by=cast.bao, values={"snoozed_until": timezone.now() + timedelta(days=2)})
    add_tag(tickets[2], "vip", by=cast.bao)
    before = facts()
    token = change(
        cast.bao,
        tickets,
        status=cast.status("Closed").pk,
        priority=cast.priority("High").pk,
        assigned_to="me",
        tag="VIP",
    )
    assert facts() != before
    assert undo(cast.bao, token) == {"changed": 3, "message": "3 tickets restored.", "refused": [], "undo": ""}
    assert facts() == before


def test_undo_is_sent_live_like_any_change(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    before = Broadcast.objects.count()
    undo(cast.bao, token)
    events = Broadcast.objects.order_by("pk").values_list("event", flat=True)[before:]
    assert list(events) == ["ticket.updated"] * 3


def test_ticket_that_was_changed_since_is_named_and_left(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    services.update_ticket(tickets[1], by=cast.dana, values={"priority": cast.priority("Urgent")})
    answer = undo(cast.bao, token)
    assert answer["changed"] == 2
    row = {"uuid": str(tickets[1].uuid), "reference": tickets[1].reference, "reason": "It has been changed since."}
    assert answer["refused"] == [row]
    assert facts()["Second"][1] == "Urgent"


def test_reply_since_keeps_no_ticket_from_being_restored(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    services.add_reply(tickets[1], by=cast.dana, message="Hello")
    assert undo(cast.bao, token)["changed"] == 3


def test_ticket_without_access_is_named(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets[:2], office=cast.orders.pk)
    Ticket.objects.filter(pk=tickets[1].pk).delete()
    answer = undo(cast.bao, token)
    assert {row["reference"]: row["reason"] for row in answer["refused"]} == {
        tickets[0].reference: GONE, tickets[1].reference: GONE,
    }  # fmt: skip
    assert facts()["Charged twice"][3] == cast.orders


def test_undo_twice_changes_nothing_more(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    undo(cast.bao, token)
    before = facts()
    assert [row["reason"] for row in undo(cast.bao, token)["refused"]] == ["It has been changed since."] * 3
    assert facts() == before


def test_change_that_changed_nothing_cannot_be_undone(cast: Cast, tickets: list[Ticket]) -> None:
    assert change(cast.bao, tickets, assigned_to="none") == ""
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    assert change(cast.bao, tickets, priority=cast.priority("High").pk) == ""
    assert undo(cast.bao, token)["changed"] == 3


def test_snooze_that_is_over_meanwhile_is_not_restored(
    cast: Cast, tickets: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    services.update_ticket(tickets[0], by=cast.bao, values={"snoozed_until": timezone.now() + timedelta(minutes=2)})
    token = change(cast.bao, tickets[:1], snooze="tomorrow")
    after(monkeypatch, minutes=5)
    answer = undo(cast.bao, token)
    assert (answer["changed"], len(answer["refused"])) == (0, 1)


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 500])
def test_invalid_token_is_refused(cast: Cast, token: str) -> None:
    answer = send(cast.bao, "undo/", undo=token)
    assert (answer.status_code, answer.json()["errors"]) == (422, {"__all__": ["This can no longer be undone."]})


def test_only_its_author_undoes_a_change(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    assert send(cast.dana, "undo/", undo=token).status_code == 422
    assert undo(cast.bao, token)["changed"] == 3


def test_change_can_be_undone_for_ten_minutes(
    cast: Cast, tickets: list[Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = (change(cast.bao, [ticket], priority=cast.priority("High").pk) for ticket in tickets[:2])
    after(monkeypatch, minutes=9)
    assert undo(cast.bao, early)["changed"] == 1
    after(monkeypatch, minutes=2)
    assert send(cast.bao, "undo/", undo=late).status_code == 422


def test_undo_needs_the_permissions_of_the_moment(cast: Cast, tickets: list[Ticket]) -> None:
    token = change(cast.bao, tickets, priority=cast.priority("High").pk)
    User.objects.filter(pk=cast.bao.pk).update(role="customer")
    assert undo(User.objects.get(pk=cast.bao.pk), token)["changed"] == 0
