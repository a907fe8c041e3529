"""One ticket under many hands at once, on PostgreSQL: all get their turn, and what they do stands in one order."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from mail.inbound import processing, storage
from mail.inbound.parsing import parse
from mail.models import Mailbox, ReceivedMessage
from realtime.channels import Audience
from realtime.models import Delivery
from tests.integration.servers.database.concurrent_transactions import (
    is_lock_awaited,
    on_own_connection,
    open_transaction,
    run_concurrently,
)
from tests.mail.inbound.writing import write
from tests.support.servers.instances import wait_until
from tickets import payloads, services
from tickets.models import Ticket


def events_on(ticket, version):
    """Return the events of `version` on the ticket's channel, in the order of the log."""
    rows = Delivery.objects.filter(channel=ticket.channel, audience=version).select_related("broadcast")
    return [json.loads(row.broadcast.data(version)) for row in rows.order_by("broadcast_id")]


def seqs_on(ticket, version):
    return [event["seq"] for event in events_on(ticket, version)]


def test_concurrent_replies_have_one_order(live_cast):
    def answer(name, internal):
        for turn in ("first", "second", "third"):
            live_cast.reply(live_cast.ada, f"{name}'s {turn}", internal=internal)

    run_concurrently([partial(answer, number, internal=number % 2 == 1) for number in range(8)])
    replies = live_cast.ticket.replies.order_by("number")
    assert [reply.number for reply in replies] == list(range(2, 26))
    assert seqs_on(live_cast.ticket, Audience.STAFF) == list(range(1, 26))
    assert seqs_on(live_cast.ticket, Audience.PUBLIC) == list(range(1, 14))
    logged = [event["reply"]["id"] for event in events_on(live_cast.ticket, Audience.STAFF)[1:]]
    assert logged == [str(reply.pk) for reply in replies]


def test_concurrent_changes_of_a_ticket_do_not_deadlock(live_cast):
    cast, ticket = live_cast, live_cast.ticket
    turns = [
        [partial(services.update_ticket, values={"status": cast.status(name)}) for name in ("Closed", "Open")],
        [partial(services.update_ticket, values={"priority": cast.priority(name)}) for name in ("Low", "Urgent")],
        [partial(services.update_ticket, values={"assigned_to": person}) for person in (cast.bao, cast.emil)],
        [partial(services.update_ticket, values={"office": office}) for office in (cast.fraud, cast.orders)],
        [partial(services.update_ticket, values={"subject": subject}) for subject in ("Charged thrice", "Charged")],
        [partial(services.add_reply, message=message) for message in ("Hello", "Good-bye")],
        [partial(services.add_reply, message=message, internal=True) for message in ("Fishy", "Fine")],
        [partial(services.add_reply, message=message) for message in ("And", "so on")],
    ]

    def act(verbs):
        for verb in verbs:
            verb(ticket, by=cast.ada)

    run_concurrently([partial(act, verbs) for verbs in turns])
    ticket.refresh_from_db()
    assert ticket.staff_seq == 17
    assert seqs_on(ticket, Audience.STAFF) == list(range(1, ticket.staff_seq + 1))
    assert seqs_on(ticket, Audience.PUBLIC) == list(range(1, ticket.public_seq + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"status": cast.status("In Progress")}),
        lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"priority": cast.priority("Urgent")}),
        lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"office": cast.orders}),
        lambda cast: services.update_ticket(cast.ticket, by=cast.bao, values={"assigned_to": cast.emil}),
    ],
    ids=["status", "priority", "office", "assignee"],
)
def test_reply_that_waited_for_a_lock_sees_the_changed_ticket(live_cast, change):
    cast = live_cast
    with ThreadPoolExecutor(1) as thread:
        with open_transaction(change, cast):
            waiting = thread.submit(on_own_connection, cast.reply, cast.casey, "Any news?")
            wait_until(is_lock_awaited, timeout=60, message="Casey's reply does not wait for Bao's change.")
        waiting.result(timeout=60)
    ticket = Ticket.objects.get(pk=cast.ticket.pk)
    event = events_on(ticket, Audience.STAFF)[-1]
    assert event["reply"]["message"] == "Any news?"
    assert event["ticket"] == payloads.ticket_payload(ticket, Audience.STAFF)


def test_message_that_several_workers_process_opens_one_ticket(live_cast):
    mailbox = Mailbox.objects.create(address="billing@desk.example.com", office=live_cast.billing)
    message = storage.store(write(), mailbox)
    copies = [ReceivedMessage.objects.get(pk=message.pk) for _ in range(4)]
    run_concurrently([partial(processing.process, copy, parse) for copy in copies])
    assert Ticket.objects.filter(subject="Printer").count() == 1
    assert ReceivedMessage.objects.get().state == "processed"
