"""Signed reply addresses: each leads to one ticket as one person, while that person may read the ticket."""

import pytest

from accounts.models import User
from mail.addresses import parse_reply_address, reply_address
from tests.mail.outbound.test_customer_mails import sent
from tickets import services

pytestmark = pytest.mark.django_db


def test_mail_is_answered_to_an_address_of_its_recipient(cast):
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    [address] = message.reply_to
    assert address == reply_address(cast.ticket, cast.casey)
    local, _at, domain = address.partition("@")
    assert (local[:6], len(local) <= 64, domain) == ("reply+", True, "desk.example.com")
    for written in (address, address.upper(), f"other+{address.partition('+')[2]}"):
        target = parse_reply_address(written)
        assert (target.ticket, target.user) == (cast.ticket, cast.casey)
    assert "reply to this email" in message.body


def test_without_an_address_the_mail_leads_to_the_page(cast, settings):
    settings.MAIL_REPLY_ADDRESS = ""
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    assert message.reply_to == []
    assert "use the link above" in message.body


def test_addresses_of_others_and_forged_ones_are_refused(cast):
    mine = reply_address(cast.ticket, cast.bao)
    assert parse_reply_address(mine).user == cast.bao
    assert parse_reply_address(reply_address(cast.ticket, cast.greta)) is None
    other = services.open_ticket(by=cast.casey, subject="Other", content="x", office=cast.billing)
    signature = mine.partition(".")[2]
    assert parse_reply_address(f"reply+{other.reference.replace('-', '')}.{signature}") is None
    for wrong in (
        "",
        "reply@desk.example.com",
        mine.replace("+", "-"),
        mine.replace(".", ".a", 1),
        f"{mine} x",
        "ü+@",
    ):
        assert parse_reply_address(wrong) is None


def test_address_ends_with_the_access_of_its_person(cast):
    address, agents = reply_address(cast.ticket, cast.casey), reply_address(cast.ticket, cast.bao)
    User.objects.filter(pk=cast.casey.pk).update(is_active=False)
    assert parse_reply_address(address) is None
    cast.billing.agents.remove(cast.bao)
    assert parse_reply_address(agents) is None
