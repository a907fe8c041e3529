"""Participants: who may add and remove them, what they read, and how it ends."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.utils.html import escape

from accounts.models import User
from realtime import Audience
from realtime.models import Broadcast
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import policies, services
from tickets.actors import Source
from tickets.models import MAX_PARTICIPANTS, Participant, Ticket
from tickets.people.participants import add_named_participant, add_participant, remove_participant


def join(cast: Cast, person: User, by: User | None = None) -> Ticket:
    add_participant(cast.ticket, by=by or cast.bao, person=person)
    return Ticket.objects.get(pk=cast.ticket.pk)


def may_read(user: User, ticket: Ticket) -> Audience | None:
    fresh = Ticket.objects.get(pk=ticket.pk)
    assert policies.visible_tickets(user).filter(pk=ticket.pk).exists() == bool(policies.audience_of(user, fresh))
    return policies.audience_of(user, fresh)


def test_participant_reads_public_replies_and_no_notes(cast: Cast) -> None:
    assert may_read(cast.greta, cast.ticket) is None
    ticket = join(cast, cast.greta)
    cast.reply(cast.bao, "An answer")
    cast.reply(cast.bao, "A note", internal=True)
    assert may_read(cast.greta, ticket) is Audience.PUBLIC
    assert [reply.message for reply in policies.visible_replies(cast.greta, ticket)] == ["An answer"]


def test_agent_from_elsewhere_takes_part_as_a_customer_does(cast: Cast) -> None:
    assert may_read(cast.fatima, join(cast, cast.fatima)) is Audience.PUBLIC
    assert may_read(cast.dana, join(cast, cast.dana)) is Audience.STAFF


def test_only_staff_of_the_ticket_add_people(cast: Cast) -> None:
    for by in (cast.casey, cast.greta, cast.fatima):
        with pytest.raises(PermissionDenied):
            add_participant(cast.ticket, by=by, person=cast.greta)
    join(cast, cast.greta)
    with pytest.raises(PermissionDenied):
        add_participant(cast.ticket, by=cast.greta, person=cast.emil)
    assert add_participant(cast.ticket, by=cast.casey, person=cast.emil, source=Source.MAIL)
    with pytest.raises(PermissionDenied):
        add_participant(cast.ticket, by=cast.greta, person=cast.fatima, source=Source.MAIL)


def test_staff_name_a_new_person_by_address(cast: Cast) -> None:
    person = add_named_participant(cast.ticket, "Nora Neu <nora@example.com>", by=cast.bao)
    assert (person.name, person.has_usable_password()) == ("Nora Neu", False)
    assert may_read(person, cast.ticket) is Audience.PUBLIC
    with pytest.raises(PermissionDenied):
        add_named_participant(cast.ticket, "other@example.com", by=cast.fatima)
    assert not User.objects.filter(email="other@example.com").exists()


def test_customer_and_participants_are_not_added_again(cast: Cast) -> None:
    assert not add_participant(cast.ticket, by=cast.bao, person=cast.casey)
    assert [add_participant(cast.ticket, by=cast.bao, person=cast.greta) for _ in range(2)] == [True, False]
    with pytest.raises(ValidationError):
        add_named_participant(cast.ticket, "casey@example.com", by=cast.bao)
    with pytest.raises(ValidationError):
        add_participant(cast.ticket, by=cast.bao, person=cast.hiro)


def test_number_of_participants_is_bounded(cast: Cast) -> None:
    people = [User(email=f"{number}@example.com", name="Extra") for number in range(MAX_PARTICIPANTS)]
    User.objects.bulk_create(people)
    Participant.objects.bulk_create(Participant(ticket=cast.ticket, user=person) for person in people)
    with pytest.raises(ValidationError, match=str(MAX_PARTICIPANTS)):
        add_participant(cast.ticket, by=cast.bao, person=cast.greta)


def test_participants_leave_and_staff_remove_them(cast: Cast) -> None:
    join(cast, cast.greta)
    join(cast, cast.emil)
    for by in (cast.casey, cast.emil):
        with pytest.raises(PermissionDenied):
            remove_participant(cast.ticket, by=by, person=cast.greta)
    assert remove_participant(cast.ticket, by=cast.greta, person=cast.greta)
    assert not remove_participant(cast.ticket, by=cast.bao, person=cast.greta)
    assert remove_participant(cast.ticket, by=cast.bao, person=cast.emil)
    assert may_read(cast.greta, cast.ticket) is may_read(cast.emil, cast.ticket) is None


def test_reply_of_a_participant_reopens_and_waits_for_staff(cast: Cast) -> None:
    join(cast, cast.greta)
    services.add_reply(cast.ticket, by=cast.bao, message="Done")
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    reply = cast.reply(cast.greta, "Not yet")
    ticket = Ticket.objects.get(pk=cast.ticket.pk)
    assert (ticket.status.name, ticket.waiting_for) == ("Open", "staff")
    assert not policies.can_change_visibility(cast.bao, reply, internal=True)


def test_reply_of_staff_who_take_part_does_not_reopen(cast: Cast) -> None:
    join(cast, cast.dana)
    services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("Closed")})
    cast.reply(cast.dana, "By the way")
    assert Ticket.objects.get(pk=cast.ticket.pk).status.name == "Closed"


def test_both_audiences_read_names_and_no_addresses(cast: Cast) -> None:
    join(cast, cast.greta)
    event = Broadcast.objects.filter(event="ticket.updated").latest("pk")
    for text in (event.public, event.staff):
        data = json.loads(text)
        assert data["changes"] == {"participants": {"from": None, "to": "Greta Lindqvist"}}
        assert data["ticket"]["participants"] == [{"id": str(cast.greta.pk), "name": "Greta Lindqvist"}]
        assert "greta@" not in text
    entry = cast.ticket.timeline.latest("pk")
    assert (entry.action, entry.from_user, entry.to_user, entry.audience) == (
        "participants",
        None,
        cast.greta,
        "public",
    )
    assert "Greta" not in json.dumps([entry.public, entry.staff])


async def test_participant_receives_replies_until_they_are_removed(live_cast: Cast) -> None:
    cast = live_cast
    await do(join, cast, cast.greta)
    page, own = await subscribe(cast.greta, cast.ticket.channel), await subscribe(cast.greta, cast.greta.channel)
    await do(cast.reply, cast.bao, "A note", internal=True)
    await do(cast.reply, cast.bao, "An answer")
    for socket in (page, own):
        assert (await socket.event("ticket.reply.created"))["reply"]["message"] == "An answer"
        assert "A note" not in json.dumps(socket.received)
    await do(remove_participant, cast.ticket, by=cast.bao, person=cast.greta)
    assert (await page.event("pusher:subscription_error"))["status"] == 403
    assert await own.event("ticket.withdrawn") == withdrawal(cast.ticket, own)
    await do(cast.reply, cast.bao, "Not for Greta")
    assert await own.receives_nothing(cast.greta.channel)
    for socket in (page, own):
        await socket.close()


def withdrawal(ticket: Ticket, socket: Any) -> dict[str, Any]:
    data: dict[str, Any] = socket.received[-1]["data"]
    assert data["ticket"] == {"uuid": str(ticket.uuid)}
    assert "seq" not in data
    return data


def test_tickets_of_a_customer_are_found_by_indexes(cast: Cast) -> None:
    plan = policies.listed_tickets(cast.greta).explain()
    if connection.vendor == "sqlite":  # PostgreSQL reads a table of few rows without its indexes
        assert "ticket_creator" in plan
        assert "tickets_participant_user" in plan
    assert "SCAN tickets_ticket" not in plan


@pytest.mark.parametrize("typed", ["Unknown <unknown", "Unknown Name", "casey@example.com"])
def test_refused_participant_is_shown_as_typed_without_scripts(cast: Cast, typed: str) -> None:
    client = Client()
    client.force_login(cast.bao)
    response = client.post(f"/tickets/{cast.ticket.uuid}/participants/", {"person": typed})
    assert response.status_code == 422
    form = response.text.partition('id="add-participant"')[2].partition("</form>")[0]
    assert f'value="{escape(typed)}"' in form
    assert 'role="alert" >' in form  # the sentence is not hidden
    asked = client.post(
        f"/tickets/{cast.ticket.uuid}/participants/", {"person": typed}, headers={"accept": "application/json"}
    )
    assert asked.json()["errors"]["person"]
