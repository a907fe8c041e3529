"""What participants receive by mail, and how they leave."""

import re

import pytest
from django.test import Client

from accounts.models import User
from mail.outbound.unsubscribing import leave_path, parse_leave_token
from tests.mail.outbound.test_customer_mails import html_of, sent
from tickets import policies, services
from tickets.people.participants import add_named_participant, add_participant, remove_participant

pytestmark = pytest.mark.django_db


def sent_to(user):
    return [message for message in sent() if message.to == [user.email]]


def test_new_participant_receives_a_mail_with_the_message_and_a_way_out(cast):
    person = add_named_participant(cast.ticket, "Nora <nora@example.com>", by=cast.bao)
    [added] = sent()
    assert added.to == [person.email]
    for text in (added.body, html_of(added)):
        assert "added to this ticket of Casey Rivers" in text
        assert "Two charges for" in text
        assert "https://desk.example.com/mails/leave/" in text
    token = added.extra_headers["List-Unsubscribe"].strip("<>").split("/")[-2]
    assert parse_leave_token(token) == (person, cast.ticket)


def test_participants_receive_public_replies_and_no_notes(cast):
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    sent()
    cast.reply(cast.bao, "A note", internal=True)
    assert sent_to(cast.greta) == []
    cast.reply(cast.bao, "An answer")
    assert ["An answer" in message.body for message in sent_to(cast.greta)] == [True]
    cast.reply(cast.casey, "Thanks")
    assert ["Thanks" in message.body for message in sent_to(cast.greta)] == [True]
    cast.reply(cast.greta, "Me too")
    mails = sent()
    assert {address for message in mails for address in message.to} == {
        "casey@example.com",
        "bao@example.com",
        "dana@example.com",
    }


def test_person_who_was_removed_receives_nothing_that_is_still_owed(cast):
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    cast.reply(cast.bao, "An answer")
    remove_participant(cast.ticket, by=cast.bao, person=cast.greta)
    assert [message.to for message in sent()] == [["casey@example.com"]]


def test_staff_who_take_part_receive_a_reply_once(cast):
    services.update_ticket(cast.ticket, by=cast.ada, values={"assigned_to": cast.dana})
    add_participant(cast.ticket, by=cast.bao, person=cast.dana)
    sent()
    cast.reply(cast.casey, "Any news?")
    assert len(sent_to(cast.dana)) == 1


def test_link_leaves_the_ticket_without_a_sign_in(cast):
    add_participant(cast.ticket, by=cast.bao, person=cast.greta)
    address, client = leave_path(cast.greta, cast.ticket), Client(enforce_csrf_checks=True)
    page = client.get(address)
    assert (page.status_code, cast.ticket.subject in page.text) == (200, False)
    assert policies.visible_tickets(cast.greta).exists()
    assert client.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not policies.visible_tickets(cast.greta).exists()
    assert cast.ticket.timeline.latest("pk").by == cast.greta
    assert client.post(re.sub(r".{4}/$", "AAAA/", address)).status_code == 404
    User.objects.filter(pk=cast.greta.pk).update(is_active=False)
    assert client.get(address).status_code == 404
