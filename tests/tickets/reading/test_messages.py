"""A ticket's latest messages and who has to write next: kept by the services as the stored messages say."""

import random

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast
from tickets import services
from tickets.counts import counts
from tickets.models import Reply, Status, Ticket
from tickets.reading import messages

pytestmark = pytest.mark.django_db


def stored(ticket: Ticket) -> dict[str, object]:
    return Ticket.objects.filter(pk=ticket.pk).values(*messages.FIELDS).get()


def waiting(ticket: Ticket) -> tuple[str, object]:
    row = stored(ticket)
    return row["waiting_for"], row["waiting_since"]


def test_ticket_waits_for_who_did_not_write_last(cast: Cast) -> None:
    opened = waiting(cast.ticket)
    assert opened[0] == "staff"
    cast.reply(cast.casey, "Hello?")
    cast.reply(cast.bao, "Note", internal=True)
    assert waiting(cast.ticket) == opened
    answer = cast.reply(cast.bao, "Which one?")
    assert waiting(cast.ticket) == ("customer", answer.ticket.updated_at)
    cast.reply(cast.dana, "Or both?")
    assert waiting(cast.ticket) == ("customer", answer.ticket.updated_at)
    question = cast.reply(cast.casey, "Both")
    assert waiting(cast.ticket) == ("staff", question.ticket.updated_at)


def test_creator_who_is_staff_waits_as_a_customer(cast: Cast) -> None:
    ticket = services.open_ticket(by=cast.bao, subject="Mine", content="x", office=cast.billing)
    services.add_reply(ticket, by=cast.bao, message="Again")
    assert waiting(ticket)[0] == "staff"


def test_services_keep_what_the_messages_say(cast: Cast) -> None:
    chance = random.Random(19)
    for _step in range(60):
        replies = list(Reply.objects.filter(ticket=cast.ticket))
        action = chance.choice(["reply", "reply", "note", "delete", "turn"])
        if action in ("reply", "note") or not replies:
            internal = action == "note"
            by = cast.bao if internal else chance.choice([cast.bao, cast.casey, cast.dana])
            cast.reply(by, "x", internal=internal)
        elif action == "delete":
            services.delete_reply(chance.choice(replies), by=cast.ada)
        elif (reply := chance.choice(replies)).is_internal or reply.can_be_hidden:
            services.change_visibility(reply, by=cast.ada, internal=not reply.is_internal)
        # To the microsecond: customers would see that the deletion of a note changed a time.
        kept = stored(cast.ticket)
        replies = Reply.objects.all()
        Ticket.objects.update(**messages.stored_state(replies), first_replied_at=messages.first_reply(replies))
        assert stored(cast.ticket) == kept, action


def listed(user: User, query: str) -> list[str]:
    client = Client()
    client.force_login(user)
    return [row["ticket"]["subject"] for row in client.get(f"/tickets/{query}").context["rows"]]


def test_view_shows_what_waits_for_the_reader_longest_first(cast: Cast) -> None:
    later = services.open_ticket(by=cast.greta, subject="Later", content="x", office=cast.billing)
    answered = services.open_ticket(by=cast.greta, subject="Answered", content="x", office=cast.billing)
    services.add_reply(answered, by=cast.bao, message="Which one?")
    services.open_ticket(by=cast.bao, subject="Own", content="x", office=cast.orders)
    services.add_reply(later, by=cast.greta, message="Again")
    assert listed(cast.bao, "?status=waiting") == ["Charged twice", "Later"]
    assert listed(cast.bao, "?status=waiting&sort=-updated") == ["Later", "Charged twice"]
    assert listed(cast.emil, "?status=waiting") == ["Own"]
    assert listed(cast.greta, "?status=waiting") == ["Answered"]
    assert counts(cast.bao, list(Status.objects.all()))["waiting"] == 2
    assert counts(cast.greta, list(Status.objects.all()))["waiting"] == 1
    services.update_ticket(later, by=cast.bao, values={"status": cast.status("Closed")})
    assert listed(cast.bao, "?status=waiting") == ["Charged twice"]
