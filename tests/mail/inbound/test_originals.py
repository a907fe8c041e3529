"""Staff of a ticket read received mails with their headers; customers never do."""

import pytest
from django.test import Client
from django.utils import timezone

from mail.models import ReceivedMessage
from mail.outbound import threads
from mail.views import originals
from tests.mail.inbound.writing import receive, write
from tickets import services

READERS = {"bao": 200, "dana": 200, "ada": 200, "casey": 404, "greta": 404, "emil": 404, "fatima": 404}


@pytest.fixture
def opened(mailbox):
    return receive(mailbox, write()).ticket


@pytest.fixture
def reply(mailbox, opened):
    answer = write("It smokes.", message_id="<2@example.com>", In_Reply_To="<1@example.com>")
    return receive(mailbox, answer).reply


def ask(user, *parts):
    client = Client()
    client.force_login(user)
    return client.get("/tickets/" + "/".join([*map(str, parts), "mail/"]))


@pytest.mark.parametrize("name", READERS)
def test_only_staff_of_the_ticket_reads_received_mails(cast, opened, reply, name):
    user = getattr(cast, name)
    answers = [ask(user, opened.uuid), ask(user, opened.uuid, "replies", reply.pk)]
    assert [answer.status_code for answer in answers] == [READERS[name]] * 2
    for answer, raw in zip(answers, (b"on fire", b"It smokes."), strict=True):
        assert (raw in answer.content) == (b"Authentication-Results: mx" in answer.content) == (READERS[name] == 200)
        assert READERS[name] == 404 or answer["Content-Type"] == "text/plain; charset=utf-8"


def test_staff_who_opened_the_ticket_by_mail_is_its_customer(cast, mailbox):
    mailbox.office = cast.orders
    mailbox.save()
    ticket = receive(mailbox, write(sender="Bao <bao@example.com>")).ticket
    assert ask(cast.emil, ticket.uuid).status_code == 200
    assert ask(cast.bao, ticket.uuid).status_code == 404


def test_mail_of_a_deleted_reply_is_not_the_one_that_opened_the_ticket(cast, mailbox, opened, reply):
    services.delete_reply(reply, by=cast.ada)
    assert b"on fire" in ask(cast.bao, opened.uuid).content
    assert ask(cast.bao, opened.uuid, "replies", reply.pk).status_code == 404


def test_ticket_opened_on_the_page_has_no_mail(cast, mailbox):
    answer = write(message_id="<2@x>", In_Reply_To=f"<{threads.message_id(cast.ticket, None)}>")
    reply = receive(mailbox, answer).reply
    assert ask(cast.bao, cast.ticket.uuid, "replies", reply.pk).status_code == 200
    services.delete_reply(reply, by=cast.ada)
    assert ask(cast.bao, cast.ticket.uuid).status_code == 404


def test_mail_is_gone_after_the_retention_time_and_a_long_one_is_cut(cast, opened, monkeypatch):
    monkeypatch.setattr(originals, "MAX_BYTES", 90)
    assert ask(cast.bao, opened.uuid).text.endswith("[The rest of the email is not shown.]")
    ReceivedMessage.objects.update(raw=None, processed_at=timezone.now())
    answer = ask(cast.bao, opened.uuid)
    assert (answer.status_code, answer.text) == (410, "The original was deleted after the retention time.")
