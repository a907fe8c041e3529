"""Who a message acts for: only a verified sender, and never for more than they may."""

from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from mail.addresses import reply_address
from mail.models import OutgoingMail
from tests.mail.inbound.test_corpus import raw
from tests.mail.inbound.writing import receive, write
from tickets.models import Ticket


def test_unverified_agent_opens_a_ticket_as_no_agent(mailbox, cast, settings):
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
    address = reply_address(cast.ticket, cast.bao)
    message = receive(mailbox, write(sender="Bao <bao@example.com>", to=address, verified=False))
    entry = message.ticket.timeline.get()
    assert (message.reply, message.ticket.creator, str(entry.by)) == (None, cast.bao, "System (incoming mail)")
    assert cast.ticket.replies.count() == 0
    assert not OutgoingMail.objects.filter(ticket=message.ticket, event="receipt", state="queued").exists()


def test_verified_customer_gets_a_receipt(mailbox, cast):
    ticket = receive(mailbox, write()).ticket
    assert (ticket.source, ticket.timeline.get().by) == ("mail", cast.casey)
    assert OutgoingMail.objects.filter(ticket=ticket, event="receipt", state="queued").exists()


def test_mail_verifies_no_address_of_a_new_customer(mailbox):
    customer = receive(mailbox, write(sender='"Visit www.evil.example" <zoe@example.org>')).ticket.creator
    assert (customer.name, customer.role, customer.has_usable_password()) == ("zoe", "customer", False)
    assert not EmailAddress.objects.get(user=customer).verified


def test_answer_of_an_agent_is_public(mailbox, cast, settings):
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"
    message = receive(mailbox, write(sender="bao@example.com", to=reply_address(cast.ticket, cast.bao)))
    assert (message.reply.author, message.reply.is_internal) == (cast.bao, False)


def test_forwarded_message_opens_a_ticket_of_its_writer(mailbox, cast):
    ticket = receive(mailbox, raw("forward_gmail")).ticket
    assert (ticket.creator.email, ticket.opened_by, ticket.subject) == ("zoe@example.org", cast.bao, "Broken pen")
    assert ticket.content == "My pen is broken."
    note = ticket.replies.get()
    assert (note.message, note.is_internal) == ("FYI", True)


def test_forwarding_for_others_is_for_staff_of_the_office(mailbox, cast):
    for sender in (b"casey@example.com", b"emil@example.com"):
        content = raw("forward_gmail").replace(b"bao@example.com", sender).replace(b"forward-gmail@", sender + b"@")
        assert receive(mailbox, content).ticket.creator.email == sender.decode()
    assert not User.objects.filter(email="zoe@example.org").exists()


def test_held_forward_changes_nothing(mailbox, cast):
    mailbox.unknown_senders = "hold"
    before = Ticket.objects.count()
    mailbox.save()
    assert (receive(mailbox, raw("forward_gmail")).state, Ticket.objects.count()) == ("held", before)


def test_staff_see_that_a_sender_is_not_verified(mailbox, cast):
    proven, forged = receive(mailbox, write()), receive(mailbox, write(message_id="<2@x>", verified=False))
    client = Client()
    for user, message, is_marked in (
        (cast.bao, forged, True), (cast.bao, proven, False), (cast.casey, forged, False),
    ):  # fmt: skip
        client.force_login(user)
        page = client.get(message.ticket.get_absolute_url()).content.decode()
        assert ("Sender not verified" in page) == is_marked
