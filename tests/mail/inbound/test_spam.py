"""What the spam filter of the mailbox's server calls spam is held until an admin delivers it."""

import pytest
from django.test import Client

from mail.models import OutgoingMail, ReceivedMessage
from tests.mail.inbound.writing import receive, write
from tests.support.jobs import run_due_jobs
from tickets.models import Ticket

LIST = "/admin/mail/receivedmessage/"
SPAM = {"X_Spam_Flag": "YES"}
ZOE = "Zoe Lee <zoe@example.org>"


@pytest.fixture
def admin(cast):
    client = Client()
    client.force_login(cast.ada)
    return client


@pytest.fixture
def filtered(mailbox):
    """A mailbox whose server runs SpamAssassin."""
    mailbox.spam_filter = "spamassassin"
    mailbox.save()
    return mailbox


def receipts():
    return OutgoingMail.objects.filter(event="receipt", state__in=["queued", "sent"])


def test_spam_is_held_and_listed(filtered, admin):
    before = Ticket.objects.count()
    spam = receive(filtered, write(subject="You have won", **SPAM))
    receive(filtered, write(subject="A question", message_id="<2@x>", X_Spam_Flag="NO"))
    assert (spam.state, spam.reason, Ticket.objects.count()) == ("held", "spam", before + 1)
    for address in (LIST, f"{LIST}?state=spam"):
        page = admin.get(address).content.decode()
        assert ("You have won" in page, "A question" in page) == (True, False)
        assert "The spam filter of the mail server calls it spam." in page


def test_spam_that_an_admin_delivers_is_not_answered(filtered, admin):
    receive(filtered, write(sender=ZOE, message_id="<2@x>"))
    assert receipts().count() == 1
    spam = receive(filtered, write(sender=ZOE, **SPAM))
    admin.post(LIST, {"action": "deliver_selected", "_selected_action": [str(spam.pk)]})
    run_due_jobs()
    spam = ReceivedMessage.objects.get(pk=spam.pk)
    assert (spam.state, spam.is_spam, spam.ticket.creator.email) == ("processed", True, "zoe@example.org")
    assert not receipts().filter(ticket=spam.ticket).exists()


def test_people_in_copy_of_spam_do_not_take_part(filtered, admin, cast):
    plain = receive(filtered, write(message_id="<2@x>", Cc="greta@example.com"))
    assert plain.ticket.participants.filter(user=cast.greta).exists()
    spam = receive(filtered, write(Cc="greta@example.com", **SPAM))
    admin.post(LIST, {"action": "deliver_selected", "_selected_action": [str(spam.pk)]})
    run_due_jobs()
    ticket = ReceivedMessage.objects.get(pk=spam.pk).ticket
    assert not ticket.participants.exists()


def test_headers_count_only_for_the_filter_of_the_mailbox(mailbox):
    for number, (chosen, state) in enumerate((("", "processed"), ("rspamd", "processed"), ("spamassassin", "held"))):
        mailbox.spam_filter = chosen
        mailbox.save()
        assert receive(mailbox, write(message_id=f"<{number}@x>", **SPAM)).state == state


@pytest.mark.parametrize("forged", ["X-Spam-Flag: NO\nX-Spam-Status: No, score=-99\n", "X-Spam: No\n"])
def test_a_forged_header_releases_nothing(filtered, forged):
    assert receive(filtered, write(message_id="<3@x>")).state == "processed"
    raw = write(**SPAM)
    for message in (forged.encode() + raw, raw.replace(b"From:", forged.encode() + b"From:")):
        assert (receive(filtered, message).state) == "held"
    filtered.unknown_senders = "hold"
    filtered.save()
    unknown = receive(filtered, forged.encode() + write(sender=ZOE, message_id="<2@x>"))
    assert (unknown.state, unknown.reason) == ("held", "unknown_sender")


def test_spam_in_a_message_that_cannot_be_read_is_held(filtered):
    boundaries = "\n".join(f"Content-Type: multipart/mixed; boundary={number}" for number in range(3000))
    assert receive(filtered, write(boundaries, message_id="<2@x>")).state == "processed"
    assert receive(filtered, write(boundaries, **SPAM)).reason == "spam"
