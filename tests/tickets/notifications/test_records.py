"""Notifications: who has which, and when they disappear."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from mail.models import MailPreference
from realtime.broadcasting import history
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe
from tickets import reading, services
from tickets.models import Notification, Ticket, TicketSubscription
from tickets.notifications import records

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_before(request: pytest.FixtureRequest) -> None:
    """Forget that the ticket of the cast is new."""
    if "cast" in request.fixturenames:
        request.getfixturevalue("cast")
        Notification.objects.all().delete()


def notified(user: User) -> list[str]:
    """Return the kinds of the notifications that `user` may see, the earliest first."""
    return [each.kind for each in records.listed(user)][::-1]


def change(cast: Cast, by: str = "ada", **values: Any) -> None:
    services.update_ticket(cast.ticket, by=getattr(cast, by), values=values)


def subscribe_to(cast: Cast, user: User, level: str) -> None:
    TicketSubscription.objects.create(user=user, ticket=cast.ticket, level=level)


def everyone(cast: Cast) -> dict[str, list[str]]:
    people = {name: getattr(cast, name) for name in ("ada", "bao", "dana", "emil", "fatima", "casey", "greta")}
    return {name: kinds for name, user in people.items() if (kinds := notified(user))}


def test_new_ticket_notifies_the_agents_of_its_office(cast):
    services.open_ticket(by=cast.greta, subject="Chair", content="Broken", office=cast.billing)
    assert everyone(cast) == {"bao": ["new_ticket"], "dana": ["new_ticket"]}


def test_assignment_notifies_the_assignee_and_not_to_who_takes_a_ticket(cast):
    change(cast, by="bao", assigned_to=cast.bao)
    assert everyone(cast) == {}
    change(cast, assigned_to=cast.dana)
    assert everyone(cast) == {"dana": ["assigned"]}


def test_message_of_the_customer_notifies_the_assignee_or_else_the_office(cast):
    cast.reply(cast.casey, "Hello?")
    assert everyone(cast) == {"bao": ["customer_reply"], "dana": ["customer_reply"]}
    change(cast, by="bao", assigned_to=cast.bao)
    cast.reply(cast.casey, "Still there?")
    assert everyone(cast) == {"bao": ["customer_reply"] * 2, "dana": ["customer_reply"]}


def test_customer_is_notified_of_replies_and_closing_and_never_of_notes(cast):
    cast.reply(cast.bao, "Secret", internal=True)
    assert everyone(cast) == {}
    cast.reply(cast.bao, "Done")
    change(cast, by="bao", status=cast.status("Closed"))
    assert everyone(cast) == {"casey": ["reply", "status"]}


def test_note_notifies_the_assignee(cast):
    change(cast, by="dana", assigned_to=cast.dana)
    cast.reply(cast.bao, "Between us", internal=True)
    assert everyone(cast) == {"dana": ["note"]}


def test_follower_is_notified_of_messages_while_they_are_staff(cast):
    for user in (cast.ada, cast.emil, cast.greta):
        subscribe_to(cast, user, "followed")
    change(cast, by="dana", assigned_to=cast.dana)
    cast.reply(cast.casey, "Hello?")
    cast.reply(cast.dana, "A note", internal=True)
    assert everyone(cast) == {"ada": ["customer_reply", "note"], "dana": ["customer_reply"]}


def test_muted_ticket_is_silent_but_for_an_assignment(cast):
    for user in (cast.bao, cast.casey):
        subscribe_to(cast, user, "muted")
    cast.reply(cast.casey, "Hello?")
    cast.reply(cast.dana, "Yes")
    assert everyone(cast) == {"dana": ["customer_reply"]}
    change(cast, assigned_to=cast.bao)
    assert notified(cast.bao) == ["assigned"]


def test_agent_who_asked_is_notified_of_replies_as_a_customer(cast):
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    services.add_reply(ticket, by=cast.emil, message="A note", internal=True)
    services.add_reply(ticket, by=cast.emil, message="A new one comes")
    assert notified(cast.bao) == ["reply"]


# When they disappear


def deleted(cast, reply):
    services.delete_reply(reply, by=cast.bao)


def hidden(cast, reply):
    services.change_visibility(reply, by=cast.bao, internal=True)


def deactivated(cast, reply):
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)


@pytest.mark.parametrize("disappear", [deleted, hidden, deactivated])
def test_reply_that_the_customer_may_no_longer_read_is_not_listed_or_counted(cast, disappear):
    reply = cast.reply(cast.bao, "Oops")
    assert (notified(cast.casey), records.unread_number(cast.casey)) == (["reply"], 1)
    disappear(cast, reply)
    casey = User.objects.get(pk=cast.casey.pk)
    assert (notified(casey), records.unread_number(casey)) == ([], 0)


def test_log_does_not_say_that_a_hidden_reply_was_notified(cast):
    start = history.current_cursor()
    reply = cast.reply(cast.bao, "Oops")
    assert "ticket.notified" in json.dumps(history.read(cast.casey, [cast.casey.channel], start).events)
    hidden(cast, reply)
    assert "ticket.notified" not in json.dumps(history.read(cast.casey, [cast.casey.channel], start).events)


def test_reply_that_is_published_is_notified_then(cast):
    note = cast.reply(cast.bao, "Refunded", internal=True)
    services.change_visibility(note, by=cast.dana, internal=False)
    assert everyone(cast) == {"casey": ["reply"]}


def test_staff_see_nothing_of_a_ticket_that_they_have_lost(cast):
    cast.reply(cast.casey, "Hello?")
    assert notified(cast.bao) == ["customer_reply"]
    change(cast, office=cast.orders)
    assert notified(cast.bao) == []
    assert notified(cast.emil) == ["new_ticket"]


def test_agent_who_becomes_the_customer_of_a_ticket_sees_what_customers_see(cast):
    ticket = services.open_ticket(by=cast.bao, subject="Chair", content="Broken", office=cast.orders)
    services.update_ticket(ticket, by=cast.ada, values={"assigned_to": cast.bao})
    services.add_reply(ticket, by=cast.emil, message="A note", internal=True)
    services.add_reply(ticket, by=cast.emil, message="A reply")
    assert notified(cast.bao) == ["assigned", "note", "reply"]
    services.update_ticket(ticket, by=cast.ada, values={"assigned_to": None})
    assert notified(cast.bao) == ["reply"]


# Reading


def test_what_the_page_has_shown_is_read(cast):
    change(cast, assigned_to=cast.bao)
    first, second = cast.reply(cast.casey, "One"), cast.reply(cast.casey, "Two")
    assert records.unread_number(cast.bao) == 3
    reading.mark_read(Ticket.objects.get(), by=cast.bao, up_to=first)
    assert [each.reply_id for each in records.listed(cast.bao).filter(read_at=None)] == [second.pk]
    reading.mark_read(Ticket.objects.get(), by=cast.bao, up_to=second)
    assert records.unread_number(cast.bao) == 0


def test_one_or_all_are_marked_read_and_only_the_own_ones(cast):
    cast.reply(cast.casey, "One")
    cast.reply(cast.casey, "Two")
    [newest, _] = records.listed(cast.bao)
    assert records.mark_read(cast.dana, [newest.pk]) == 0
    assert records.mark_read(cast.bao, [newest.pk]) == 1
    assert (records.unread_number(cast.bao), records.unread_number(cast.dana)) == (1, 2)
    assert records.mark_read(cast.bao) == 1
    assert (records.unread_number(cast.bao), records.unread_number(cast.dana)) == (0, 2)


async def test_other_pages_of_the_person_learn_what_they_are_sent_and_have_read(live_cast):
    agent = await subscribe(live_cast.bao, live_cast.bao.channel)
    colleague = await subscribe(live_cast.emil, live_cast.emil.channel)
    await do(live_cast.reply, live_cast.casey, "Hello?")
    event = await agent.event("ticket.notified")
    assert (event["kind"], event["by"]["name"], "Hello?" in json.dumps(event)) == (
        "customer_reply",
        "Casey Rivers",
        False,
    )
    await do(records.mark_read, live_cast.bao)
    await agent.event("notifications.read")
    assert await colleague.receives_nothing(live_cast.emil.channel)


# Cost and age


def test_large_office_costs_as_many_queries_as_a_small_one(cast, django_assert_max_num_queries):
    def office_without_mails(*agents: User) -> None:
        MailPreference.objects.bulk_create(
            MailPreference(user=user, event="customer_reply", mode="never") for user in agents
        )

    office_without_mails(cast.bao, cast.dana)
    with django_assert_max_num_queries(200) as small:
        cast.reply(cast.casey, "Hello?")
    agents = User.objects.bulk_create(
        User(email=f"agent{number}@example.com", name=f"Agent {number}", role="agent") for number in range(50)
    )
    cast.billing.agents.add(*agents)
    office_without_mails(*agents)
    with django_assert_max_num_queries(200) as large:
        cast.reply(cast.casey, "Hello again?")
    assert Notification.objects.filter(user__in=agents).count() == 50
    assert len(large) <= len(small)


def test_old_notifications_are_pruned(cast):
    cast.reply(cast.casey, "Hello?")
    Notification.objects.filter(user=cast.bao).update(created_at=timezone.now() - timedelta(days=91))
    call_command("prune_notifications")
    assert everyone(cast) == {"dana": ["customer_reply"]}
