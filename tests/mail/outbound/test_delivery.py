"""A mail that is owed is sent once by the mail server's own account, or shows why not."""

import pytest
from django.test import Client
from django.utils import timezone

from jobs import runner
from jobs.models import Job
from mail.models import OutgoingMail
from mail.outbound import deliveries
from realtime.broadcasting import history
from tests.jobs.smtp import smtp_server
from tests.mail.outbound.test_customer_mails import sent
from tests.support.jobs import run_due_jobs
from tests.support.servers.instances import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    """Have mails go to an SMTP server; return what it received."""
    with smtp_server() as (port, receiver):
        settings.EMAIL_BACKEND = "jobs.mail_backends.SMTPBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield receiver


def attempt():
    """Make one attempt; return the mail."""
    Job.objects.exclude(run_at=None).update(run_at=timezone.now())
    run_due_jobs()
    return OutgoingMail.objects.get()


def test_refused_mail_shows_the_answer_and_can_be_retried(cast, server):
    server.answers = {"RCPT": ["550 no such mailbox"]}
    cast.reply(cast.bao, "Answer")
    mail = attempt()
    assert mail.state == "failed"
    assert "550 no such mailbox" in mail.reason
    assert deliveries.retry(mail)
    assert OutgoingMail.objects.get().state == "queued"
    assert attempt().state == "sent"
    assert len(server.received) == 1
    assert not deliveries.retry(OutgoingMail.objects.get())


def test_mail_that_waits_for_its_server_is_queued_until_the_last_attempt(cast, server, settings):
    settings.EMAIL_PORT = free_port()
    cast.reply(cast.bao, "Answer")
    assert attempt().state == "queued"
    Job.objects.update(attempts=7)
    mail = attempt()
    assert (mail.state, server.received) == ("failed", [])
    assert "ConnectionRefusedError" in mail.reason


def test_mail_whose_answer_is_lost_shows_as_failed_and_is_not_sent_again(cast, server):
    server.is_cutting = True
    cast.reply(cast.bao, "Answer")
    mail = attempt()
    assert mail.state == "failed"
    assert mail.reason.startswith(runner.INTERRUPTED)
    attempt()
    assert len(server.received) == 1


def test_worker_that_is_killed_after_sending_leaves_the_mail_as_sent(cast, server, monkeypatch):
    cast.reply(cast.bao, "Answer")
    with monkeypatch.context() as patched:
        patched.setattr(Job, "finish", lambda job: None)
        attempt()
    mail = attempt()
    assert (mail.state, Job.objects.get().state) == ("sent", "failed")
    assert len(server.received) == 1


def test_bounce_is_recorded_at_the_mail_of_its_recipient(cast):
    cast.reply(cast.bao, "Answer")
    [message] = sent()
    message_id = message.extra_headers["Message-ID"]
    assert not deliveries.record_bounce(["<unknown@example.com>"])
    assert not deliveries.record_bounce([message_id], address="greta@example.com")
    assert deliveries.record_bounce([message_id], address="Casey@Example.com", reason="552 mailbox full")
    mail = OutgoingMail.objects.get()
    assert (mail.state, mail.reason) == ("bounced", "552 mailbox full")


# What staff see of it


def fail(cast, reason="550 no such mailbox"):
    """Fail to mail a reply of Bao's; return the reply."""
    reply = cast.reply(cast.bao, "Answer")
    mail = OutgoingMail.objects.get(reply=reply)
    deliveries.record_failure(Job.objects.get(key=mail.key), reason)
    Job.objects.filter(key=mail.key).update(state="failed", run_at=None)
    return reply


def page_of(cast, user):
    client = Client()
    client.force_login(user)
    return client.get(cast.ticket.get_absolute_url()).text


def test_failure_is_an_event_for_staff_only(cast):
    start = history.current_cursor()
    reply = fail(cast)
    deliveries.retry(OutgoingMail.objects.get())
    channel = cast.ticket.channel
    first, *_, failed, again = history.read(cast.bao, [channel], start).events
    assert first["event"] == "ticket.reply.created"
    assert failed["event"] == again["event"] == "ticket.mail.updated"
    [mail] = failed["data"]["mails"].pop("undelivered")
    assert failed["data"]["mails"] == {"reply_id": str(reply.pk)}
    assert mail.keys() == {"id", "recipient", "is_uncertain", "reason"}
    assert (mail["recipient"], mail["reason"]) == ("Casey Rivers", "550 no such mailbox")
    assert again["data"]["mails"]["undelivered"] == []
    assert [event["event"] for event in history.read(cast.casey, [channel], start).events] == ["ticket.reply.created"]
    seqs = [event["data"]["seq"] for event in history.read(cast.bao, [channel], start).events]
    assert seqs == list(range(seqs[0], seqs[0] + 3))


def test_page_of_staff_shows_it_at_the_reply(cast):
    fail(cast)
    fail(cast, runner.INTERRUPTED)
    text = page_of(cast, cast.bao)
    assert text.count('<bdi data-text="recipient">Casey Rivers</bdi>') == 2
    assert "550 no such mailbox" in text
    assert runner.INTERRUPTED not in text
    assert "undelivered" not in page_of(cast, cast.casey)


def test_admins_see_undelivered_mails_and_send_them_again(cast):
    fail(cast)
    client = Client()
    client.force_login(cast.ada)
    address = "/admin/mail/outgoingmail/"
    assert "550 no such mailbox" in client.get(address).text
    assert client.get(f"{address}?state=sent").context["cl"].result_count == 0
    data = {"action": "retry_selected", "_selected_action": [OutgoingMail.objects.get().pk]}
    assert "1 mail will be sent again." in client.post(address, data, follow=True).text
    assert "Only failed mails" in client.post(f"{address}?state=all", data, follow=True).text
    assert [message.to for message in sent()] == [["casey@example.com"]]
    client.force_login(cast.bao)
    assert client.get(address).status_code == 403
