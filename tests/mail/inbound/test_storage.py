"""A message is stored as it came before anything reads it, and once, however often it comes."""

import io
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from jobs.models import Job
from mail.inbound import processing, storage
from mail.inbound.parsing import guard, parse
from mail.models import Mailbox, ReceivedMessage
from tests.mail.inbound.writing import MAILBOX, receive, write
from tests.support.jobs import run_due_jobs
from tickets.models import Ticket


def pipe(monkeypatch, raw, *arguments):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    call_command("receive_mail", *arguments, stdout=io.StringIO())


def test_piped_message_opens_a_ticket(mailbox, cast, monkeypatch):
    pipe(monkeypatch, b"From casey@example.com Sun Nov 29 12:00:00 2026\n" + write(), "--mailbox", MAILBOX.upper())
    assert ReceivedMessage.objects.get().raw == write()
    run_due_jobs()
    ticket = ReceivedMessage.objects.get().ticket
    assert (ticket.creator, ticket.office, ticket.subject) == (cast.casey, cast.billing, "Printer")
    assert ticket.content == "The printer is on fire."


@pytest.mark.parametrize(
    ("raw", "arguments", "code"),
    [
        (b" \n", [], 65),
        (write(), ["--mailbox", "nowhere@desk.example.com"], 67),
        (b"Subject: x\n\n" + b"x" * 2000, [], 65),
    ],
)
def test_message_that_is_not_stored_is_refused_for_good(mailbox, monkeypatch, settings, raw, arguments, code):
    settings.MAIL_MAX_BYTES = 1024
    with pytest.raises(CommandError) as error:
        pipe(monkeypatch, raw, *arguments)
    assert (error.value.returncode, ReceivedMessage.objects.count()) == (code, 0)


def test_mail_server_keeps_a_message_while_the_database_is_down(mailbox, monkeypatch):
    def fail(*_):
        raise DatabaseError("gone")

    monkeypatch.setattr(storage, "store", fail)
    with pytest.raises(CommandError) as error:
        pipe(monkeypatch, write())
    assert error.value.returncode == 75


def test_two_mailboxes_have_to_be_named(mailbox, cast, monkeypatch):
    Mailbox.objects.create(address="orders@desk.example.com", office=cast.orders)
    with pytest.raises(CommandError) as error:
        pipe(monkeypatch, write())
    assert error.value.returncode == 64


@pytest.mark.parametrize(
    "copy",
    [
        write(),
        b"Received: from relay.example.net; Sun, 29 Nov 2026 12:00:00 +0000\n" + write(),
        write().replace(b"\n", b"\r\n"),
    ],
    ids=["identical", "by another relay", "other line ends"],
)
def test_copy_of_a_message_is_counted_and_has_no_effect(mailbox, copy):
    first, again = receive(mailbox, write()), receive(mailbox, copy)
    assert (first.pk, again.copies, Ticket.objects.count()) == (again.pk, 2, 2)  # the cast has one


@pytest.mark.parametrize(
    "other",
    [write("Another text."), write(subject="Other"), write(message_id="<2@example.com>")],
    ids=["text", "subject", "Message-ID"],
)
def test_message_that_differs_is_another_one(mailbox, other):
    receive(mailbox, write())
    assert receive(mailbox, other).ticket.pk
    assert ReceivedMessage.objects.count() == 2


def test_messages_without_a_message_id_are_all_kept(mailbox):
    raw = write(message_id="")
    receive(mailbox, raw)
    receive(mailbox, b"Received: by relay\n" + raw)
    assert receive(mailbox, raw).copies == 2
    assert ReceivedMessage.objects.count() == 2


def test_each_mailbox_has_its_own_messages(mailbox, cast):
    receive(mailbox, write())
    orders = Mailbox.objects.create(address="orders@desk.example.com", office=cast.orders)
    assert receive(orders, write()).ticket.office == cast.orders


def test_job_that_runs_again_opens_no_second_ticket(mailbox):
    message = storage.store(write(), mailbox)
    run_due_jobs()
    Job.objects.update(state="waiting", run_at=timezone.now(), arguments={"message_id": str(message.pk)})
    run_due_jobs()
    assert Ticket.objects.filter(subject="Printer").count() == 1


def test_worker_that_stood_still_while_another_took_the_message_has_no_effect(mailbox, cast):
    """Its lease has ended, and it goes on with what it had read."""
    message = storage.store(write(Cc="dana@example.com"), mailbox)
    late, soon = (ReceivedMessage.objects.get(pk=message.pk) for _ in range(2))
    processing.process(soon, parse)
    assert soon.state == "processed"
    processing.process(late, parse)
    assert Ticket.objects.filter(subject="Printer").count() == 1
    assert ReceivedMessage.objects.get().ticket == soon.ticket


def test_worker_that_stood_still_does_not_stop_a_message_that_was_processed(mailbox):
    """Held, an admin would deliver it again."""
    message = storage.store(write(), mailbox)
    late, soon = (ReceivedMessage.objects.get(pk=message.pk) for _ in range(2))
    processing.process(soon, parse)
    Mailbox.objects.update(blocked_senders="example.com")
    processing.process(late, parse)
    assert ReceivedMessage.objects.get().state == "processed"
    assert receive(mailbox, write(message_id="<2@example.com>")).state == "ignored"


def test_parser_that_takes_too_long_is_killed(mailbox, monkeypatch):
    def time_out(*_, **__):
        raise subprocess.TimeoutExpired("parser", 1)

    monkeypatch.setattr(guard.subprocess.Popen, "communicate", time_out)
    ticket = receive(mailbox, write(), guard.parse).ticket
    assert (ticket.subject, "too complex" in ticket.content) == ("Printer", True)


def test_parser_in_a_process_of_its_own_answers_the_same():
    raw = write("Grüße")
    assert guard.parse(raw) == guard.reading.parse(raw)


def test_originals_are_forgotten_after_the_retention_time(mailbox):
    old, held, new = (receive(mailbox, write(message_id=f"<{name}@example.com>")) for name in "abc")
    before = timezone.now() - timedelta(days=91)
    ReceivedMessage.objects.exclude(pk=new.pk).update(received_at=before)
    ReceivedMessage.objects.filter(pk=held.pk).update(state="held")
    call_command("prune_received_mail", stdout=io.StringIO())
    assert list(ReceivedMessage.objects.filter(raw=None)) == [old]
