"""Message-IDs and References: a thread of public messages, which reveals no note and no number."""

import re

import pytest

from mail.outbound import threads
from tests.mail.outbound.test_customer_mails import open_ticket, sent, sent_to_casey
from tickets import services

pytestmark = pytest.mark.django_db


def ids(message, name):
    return re.findall(r"<([^<>]+)>", message.message()[name] or "")


def test_replies_form_one_thread_that_skips_notes(cast):
    opening = threads.message_id(cast.ticket)
    note = cast.reply(cast.bao, "Note", internal=True)
    cast.reply(cast.bao, "First")
    [first] = sent()
    cast.reply(cast.bao, "Second")
    [second] = sent()
    assert ids(first, "References") == [opening]
    assert ids(second, "References") == [opening, *ids(first, "Message-ID")]
    assert ids(second, "In-Reply-To") == ids(first, "Message-ID")
    assert str(note.pk) not in first.message().as_string() + second.message().as_string()


def test_reply_that_was_hidden_leaves_the_thread(cast):
    first = cast.reply(cast.bao, "First")
    [mail_of_first] = sent()
    services.change_visibility(first, by=cast.bao, internal=True)
    cast.reply(cast.bao, "Second")
    [second] = sent()
    assert ids(mail_of_first, "Message-ID")[0] not in second.message().as_string()


def test_receipt_belongs_to_the_thread_and_leads_to_its_ticket(cast):
    ticket = open_ticket(cast)
    [receipt] = sent_to_casey()
    assert ids(receipt, "In-Reply-To") == ids(receipt, "References") == [threads.message_id(ticket)]
    assert threads.find_ticket(ids(receipt, "Message-ID")) == ticket


def test_message_id_is_random_and_leads_to_its_ticket(cast):
    reply = cast.reply(cast.bao, "Answer")
    [message] = sent()
    found = ids(message, "Message-ID")
    assert re.fullmatch(r"[0-9a-f]{32}@example\.com", found[0])
    assert found == [threads.message_id(cast.ticket, reply)]
    assert threads.find_ticket([f"<{found[0]}>"]) == cast.ticket
    assert threads.find_ticket(["<other@example.com>"]) is None


def test_answer_to_a_mail_names_that_mail(cast):
    threads.record_message_id("<first@customer.example>", ticket=cast.ticket)
    theirs = cast.reply(cast.casey, "By mail")
    threads.record_message_id("<second@customer.example>", ticket=cast.ticket, reply=theirs)
    cast.reply(cast.bao, "Answer")
    [message] = sent_to_casey()
    assert ids(message, "References") == ["first@customer.example", "second@customer.example"]
    assert threads.find_ticket(["x", "second@customer.example"]) == cast.ticket
