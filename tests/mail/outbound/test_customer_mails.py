"""Customers receive a receipt and the public replies, as they may read them when the mail is sent."""

import re

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from accounts.models import DeskSettings, User
from jobs.models import Job
from mail.models import OutgoingMail
from mail.outbound import deliveries
from tests.support.jobs import run_all_jobs
from tickets import files, services

pytestmark = pytest.mark.django_db


def open_ticket(cast, **fields):
    """Open another ticket of Casey's."""
    values = {"by": cast.casey, "subject": "Late parcel", "content": "Where *is* it?", "office": cast.billing}
    return services.open_ticket(**values | fields)


def sent():
    """Send what is owed, also what waits for being seen; return the mails."""
    run_all_jobs()
    found, mail.outbox[:] = mail.outbox[:], []
    return found


def sent_to_casey():
    return [message for message in sent() if message.to == ["casey@example.com"]]


def html_of(message):
    [(html, kind)] = message.alternatives
    assert kind == "text/html"
    return html


def test_customer_gets_a_receipt(cast):
    ticket = open_ticket(cast)
    [receipt] = sent_to_casey()
    assert receipt.to == ["casey@example.com"]
    assert receipt.subject == f"Late parcel [{ticket.reference}]"
    for text in (receipt.body, html_of(receipt)):
        assert ticket.reference in text
        assert f"https://desk.example.com/tickets/{ticket.uuid}/" in text
    assert "Where *is* it?" in receipt.body
    assert "<em>is</em>" in html_of(receipt)
    assert receipt.extra_headers["Auto-Submitted"] == "auto-replied"
    assert OutgoingMail.objects.get(event="receipt").state == "sent"


def test_customer_is_informed_of_a_ticket_that_staff_opened_for_them(cast):
    open_ticket(cast, by=cast.bao, customer=cast.casey)
    [receipt] = sent_to_casey()
    assert receipt.body.startswith("We have opened a ticket for you.")


def test_no_receipt_answers_an_automatic_mail(cast):
    deliveries.withhold_receipt(open_ticket(cast))
    assert sent_to_casey() == []


def test_public_reply_is_mailed_once_and_a_note_never(cast):
    cast.reply(cast.bao, "A note", internal=True)
    cast.reply(cast.bao, "Paid **back**")
    [message] = sent()
    assert message.to == ["casey@example.com"]
    assert message.from_email == "TIKM <desk@example.com>"
    assert message.subject == f"Re: Charged twice [{cast.ticket.reference}]"
    assert "Bao Nguyen replied:" in message.body
    assert "Paid **back**" in message.body
    assert "Paid <strong>back</strong>" in html_of(message)
    assert "Auto-Submitted" not in message.extra_headers
    assert "NDR" not in message.extra_headers["X-Auto-Response-Suppress"]
    assert sent() == []


def test_right_to_left_name_turns_no_words_of_a_mail(cast):
    User.objects.filter(pk=cast.bao.pk).update(name="מרים")
    reply = services.add_reply(cast.ticket, by=User.objects.get(pk=cast.bao.pk), message="Paid back")
    [message] = sent()
    assert reply.author.name == "מרים"
    for text in (message.body, html_of(message)):
        assert "\u2068מרים\u2069 replied:" in text
    assert "<bdi>Charged twice</bdi> · " in html_of(message)


def test_own_reply_is_not_mailed(cast):
    cast.reply(cast.casey, "One more thing")
    assert sent_to_casey() == []


def test_rolled_back_reply_is_not_mailed(cast):
    with transaction.atomic():
        cast.reply(cast.bao, "Never")
        transaction.set_rollback(True)
    assert sent() == []


def test_name_and_language_are_those_of_the_sending(cast):
    cast.reply(cast.bao, "Done")
    DeskSettings(staff_names="first").save()
    User.objects.filter(pk=cast.casey.pk).update(language="de")
    [message] = sent()
    assert "Bao hat geantwortet:" in message.body
    assert "Nguyen" not in message.message().as_string()


def test_edited_reply_is_mailed_once_with_the_text_of_the_sending(cast):
    reply = cast.reply(cast.bao, "Draft")
    services.edit_reply(reply, by=cast.bao, message="Done")
    [message] = sent()
    assert "Done" in message.body
    assert "Draft" not in message.message().as_string()
    services.edit_reply(reply, by=cast.bao, message="Done at last")
    assert sent() == []


def hidden(cast, reply):
    services.change_visibility(reply, by=cast.bao, internal=True)


def deleted(cast, reply):
    services.delete_reply(reply, by=cast.bao)


def deactivated(cast, reply):
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)


def ticket_deleted(cast, reply):
    services.delete_ticket(cast.ticket, by=cast.ada)


@pytest.mark.parametrize("change", [hidden, deleted, deactivated, ticket_deleted])
def test_reply_that_may_not_be_read_any_more_is_not_mailed(cast, change):
    reply = cast.reply(cast.bao, "A word too many")
    change(cast, reply)
    assert sent() == []
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}


def test_published_note_is_mailed_and_a_reply_that_was_hidden_meanwhile_once(cast):
    reply = cast.reply(cast.bao, "Now public", internal=True)
    for internal in (False, True, False):
        services.change_visibility(reply, by=cast.bao, internal=internal)
    [message] = sent()
    assert "Now public" in message.body
    for internal in (True, False):
        services.change_visibility(reply, by=cast.bao, internal=internal)
    assert sent() == []


def test_sender_and_signature_are_the_offices_else_the_sites(cast):
    DeskSettings(sender_name="Example, Inc.", sender_address="help@example.com", signature="The desk").save()
    cast.reply(cast.bao, "One")
    [message] = sent()
    assert message.from_email == '"Example, Inc." <help@example.com>'
    assert "--\nThe desk\n" in message.body
    type(cast.billing).objects.filter(pk=cast.billing.pk).update(sender_name="Billing", signature="Your bills")
    cast.reply(cast.bao, "Two")
    [message] = sent()
    assert message.from_email == "Billing <help@example.com>"
    assert "--\nYour bills\n" in message.body


def test_internal_office_is_not_named(cast):
    type(cast.fraud).objects.filter(pk=cast.fraud.pk).update(sender_name="Fraud", signature="Fraud Desk")
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.fraud})
    cast.reply(cast.ada, "We look into it")
    [message] = sent_to_casey()
    assert "Fraud" not in message.message().as_string()


def test_reply_quotes_the_latest_public_messages_and_names_its_files(cast):
    cast.reply(cast.bao, "kryptonite", internal=True)
    cast.reply(cast.casey, "| Item | Price |\n|---|---|\n| Pen | 3 |\n\n" + "x" * 900)
    sent()
    file = files.store(SimpleUploadedFile("invoice.txt", b"12 EUR"), by=cast.bao)
    services.add_reply(cast.ticket, by=cast.bao, message="See <b>here</b>", attachments=[file])
    [message] = sent()
    for text in (message.body, html_of(message)):
        assert "invoice.txt" in text
        assert f"/files/{file.pk}/" not in text
        assert "Two charges for May." in text
        assert "x" * 500 in text
        assert "x" * 700 not in text
        assert "Pen 3" in text
        assert "kryptonite" not in text
    assert "> Two charges" in message.body
    assert "<b>here" not in html_of(message)


def test_files_of_a_reply_go_with_its_mail_up_to_the_size_and_others_are_links(cast, settings):
    settings.MAIL_ATTACHMENT_BYTES = 10
    names = {"bill.txt": b"12 EUR", "terms.txt": b"x" * 5, "sum.txt": b"yes!"}
    stored = [files.store(SimpleUploadedFile(name, content), by=cast.bao) for name, content in names.items()]
    services.add_reply(cast.ticket, by=cast.bao, message="See", attachments=stored)
    [message] = sent_to_casey()
    assert [(file.filename, file.mimetype) for file in message.attachments] == [
        ("bill.txt", "text/plain"), ("sum.txt", "text/plain"),
    ]  # fmt: skip
    parts = {part.get_filename(): part.get_payload(decode=True) for part in message.message().walk()}
    assert (parts["bill.txt"], parts["sum.txt"]) == (b"12 EUR", b"yes!")
    for text in (message.body, html_of(message)):
        assert all(name in text for name in names)
        assert re.findall(r"/files/([0-9a-f-]+)/", text) == [str(stored[1].pk)]


def test_file_that_the_storage_has_lost_is_a_link(cast):
    file = files.store(SimpleUploadedFile("invoice.txt", b"12 EUR"), by=cast.bao)
    services.add_reply(cast.ticket, by=cast.bao, message="See", attachments=[file])
    file.file.storage.delete(file.file.name)
    [message] = sent_to_casey()
    assert message.attachments == []
    assert f"/files/{file.pk}/" in message.body


def test_receipts_and_mails_to_staff_have_links_to_files_only(cast):
    """A receipt may go to an address that another person wrote down, and staff can sign in."""
    file = files.store(SimpleUploadedFile("photo.txt", b"A photo"), by=cast.casey)
    open_ticket(cast, attachments=[file])
    messages = sent()
    assert {message.to[0] for message in messages} >= {"casey@example.com", "bao@example.com"}
    for message in messages:
        assert message.attachments == []
        assert f"/files/{file.pk}/" in message.body
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.bao})
    sent()
    answer = files.store(SimpleUploadedFile("answer.txt", b"Yes"), by=cast.ada)
    services.add_reply(cast.ticket, by=cast.ada, message="See", attachments=[answer], internal=True)
    [note] = sent()
    assert (note.to, note.attachments) == (["bao@example.com"], [])
    assert f"/files/{answer.pk}/" in note.body


def test_html_has_its_styles_in_the_elements_and_those_for_dark_screens_apart(cast):
    cast.reply(cast.bao, "Answer")
    html = html_of(sent()[0])
    assert re.search(r'<table class="card"[^>]* style="[^"]*max-width: ?600px', html)
    assert "prefers-color-scheme: dark" in html
    for part in ("head", "body", "foot"):  # a word of 200 letters makes no mail wider than its screen
        assert re.search(rf'<td class="{part}"[^>]* style="[^"]*overflow-wrap: ?anywhere', html)
    assert not re.search(r"<script|<link|<img|url\(|https?://(?!desk\.example\.com)", html)
