"""People in copy of a message become participants: of verified senders only, and never the desk itself."""

import pytest

from accounts.models import DeskSettings, User
from mail.addresses import reply_address
from mail.models import Mailbox
from tests.mail.inbound.writing import receive, write
from tickets import services
from tickets.people.participants import add_participant


@pytest.fixture(autouse=True)
def _reply_address(settings):
    settings.MAIL_REPLY_ADDRESS = "reply@desk.example.com"


def participants(ticket):
    return sorted(ticket.participants.values_list("user__email", flat=True))


def test_known_people_in_copy_take_part(mailbox, cast):
    ticket = receive(mailbox, write(cc="Greta <GRETA@example.com>, zoe@example.org, hiro@example.com")).ticket
    assert participants(ticket) == ["greta@example.com"]
    assert str(ticket.timeline.latest("pk").by) == "Casey Rivers"
    assert not User.objects.filter(email="zoe@example.org").exists()


def test_unknown_people_in_copy_take_part_if_the_mailbox_says_so(mailbox, cast):
    mailbox.adds_unknown_copies, mailbox.blocked_senders = True, "spam.example"
    mailbox.save()
    ticket = receive(mailbox, write(cc="Zoe Zimmer <zoe@example.org>, x@spam.example")).ticket
    assert participants(ticket) == ["zoe@example.org"]
    assert str(ticket.participants.get().user) == "Zoe Zimmer"


def test_unverified_sender_adds_no_one(mailbox, cast):
    assert participants(receive(mailbox, write(cc="greta@example.com", verified=False)).ticket) == []


def test_copy_of_an_answer_adds_people_for_customer_and_staff(mailbox, cast):
    for number, sender, copied in ((1, cast.casey, "greta@example.com"), (2, cast.bao, "emil@example.com")):
        headers = {"to": reply_address(cast.ticket, sender), "message_id": f"<{number}@example.com>", "cc": copied}
        assert receive(mailbox, write(sender=sender.email, **headers)).reply is not None
    assert participants(cast.ticket) == ["emil@example.com", "greta@example.com"]


def test_participants_answer_by_mail_and_add_no_one(mailbox, cast):
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    to = reply_address(cast.ticket, cast.greta)
    message = receive(mailbox, write("Me too", sender="greta@example.com", to=to, cc="emil@example.com"))
    assert (message.reply.author, message.reply.is_internal, message.reply.ticket) == (cast.greta, False, cast.ticket)
    assert participants(cast.ticket) == ["greta@example.com"]
    forged = write("Me too", sender="greta@example.com", to=to, message_id="<2@example.com>", verified=False)
    assert receive(mailbox, forged).reply is None
    cast.ticket.participants.all().delete()
    late = write("Me too", sender="greta@example.com", to=to, message_id="<3@example.com>")
    assert receive(mailbox, late).ticket != cast.ticket


def test_addresses_of_the_desk_never_take_part(mailbox, cast, settings):
    settings.DEFAULT_FROM_EMAIL = "Desk <desk@desk.example.com>"
    mailbox.adds_unknown_copies = True
    mailbox.save()
    Mailbox.objects.create(address="orders@desk.example.com", office=cast.orders)
    cast.billing.sender_address = "Money@desk.example.com"
    cast.billing.save()
    DeskSettings.objects.update_or_create(pk=1, defaults={"sender_address": "all@desk.example.com"})
    own = [mailbox.address, "orders@desk.example.com", "orders+x@desk.example.com", "money@desk.example.com"]
    own += ["all@desk.example.com", "desk@desk.example.com", "reply@desk.example.com", "REPLY+abc@desk.example.com"]
    own.append(reply_address(cast.ticket, cast.greta))
    ticket = receive(mailbox, write(cc=", ".join([*own, "zoe@example.org"]))).ticket
    assert participants(ticket) == ["zoe@example.org"]


def test_number_of_people_in_copy_is_bounded(mailbox, cast):
    mailbox.adds_unknown_copies = True
    mailbox.save()
    ticket = receive(mailbox, write(cc=", ".join(f"p{number}@example.org" for number in range(50)))).ticket
    assert len(participants(ticket)) == 20


def test_mailing_lists_add_no_one(mailbox, cast):
    headers = {"list_id": "<news.example.com>", "cc": "greta@example.com"}
    assert participants(receive(mailbox, write(**headers)).ticket) == []


def test_agent_who_is_a_customer_elsewhere_adds_people_as_one(mailbox, cast):
    ticket = services.open_ticket(by=cast.bao, subject="Own", content="x", office=cast.orders)
    headers = {"to": reply_address(ticket, cast.bao), "cc": "dana@example.com"}
    assert receive(mailbox, write(sender="bao@example.com", **headers)).ticket == ticket
    assert participants(ticket) == ["dana@example.com"]
