"""Admins see what became of each message, download it as it came, and deliver what was stopped."""

import pytest
from django.test import Client

from mail.models import ReceivedMessage
from tests.mail.inbound.writing import receive, write
from tests.support.jobs import run_due_jobs

LIST = "/admin/mail/receivedmessage/"


@pytest.fixture
def admin(cast):
    client = Client()
    client.force_login(cast.ada)
    return client


def test_list_shows_what_needs_a_decision(mailbox, admin):
    mailbox.unknown_senders = "hold"
    mailbox.save()
    receive(mailbox, write(subject="From a customer"))
    receive(mailbox, write(subject="From a stranger", sender="Zoe <zoe@example.org>", message_id="<2@x>"))
    page = admin.get(LIST).content.decode()
    assert ("From a customer" in page, "From a stranger" in page) == (False, True)
    assert "The sender has no account" in page
    assert "From a customer" in admin.get(LIST + "?state=all").content.decode()


def test_approved_message_opens_its_ticket(mailbox, admin):
    mailbox.unknown_senders = "hold"
    mailbox.save()
    held = receive(mailbox, write(sender="Zoe Lee <zoe@example.org>"))
    assert (held.state, held.ticket) == ("held", None)
    for _ in range(2):
        admin.post(LIST, {"action": "deliver_selected", "_selected_action": [str(held.pk)]})
        run_due_jobs()
    delivered = ReceivedMessage.objects.get()
    assert (delivered.state, delivered.ticket.creator.name) == ("processed", "Zoe Lee")


def test_original_is_for_admins(mailbox, admin, cast):
    message = receive(mailbox, write())
    address = f"{LIST}{message.pk}/original/"
    response = admin.get(address)
    assert (response.content, response["Content-Type"]) == (write(), "application/octet-stream")
    assert address in admin.get(f"{LIST}{message.pk}/change/").content.decode()
    admin.force_login(cast.bao)
    assert admin.get(address).status_code in (403, 404)
    assert admin.get(LIST).status_code == 403
