"""A mail that is owed is sent once by the mail server's own account, or shows why not."""

import pytest
from django.utils import timezone

from jobs import runner
from jobs.models import Job
from mail.models import OutgoingMail
from mail.outbound import deliveries
from tests.jobs.smtp import smtp_server
from tests.mail.outbound.test_customer_mails import sent
from tests.support.instances import free_port
from tests.support.jobs import run_due_jobs
from tickets import services

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
    services.change_visibility(mail.reply, by=cast.bao, internal=True)
