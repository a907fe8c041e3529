"""Mails are sent once by a real mail server's own account, or the job shows why not."""

import socket
from email import message_from_bytes, policy

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from jobs import mail, registry, runner
from jobs.models import Job
from jobs.registry import DELAYS, task
from tests.jobs.smtp import smtp_server
from tests.support.jobs import run_due_jobs
from tests.support.servers.instances import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _task(monkeypatch, settings):
    monkeypatch.setattr(registry, "tasks", {})
    monkeypatch.setattr("jobs.models.tasks", registry.tasks)
    settings.EMAIL_BACKEND = "jobs.mail_backends.SMTPBackend"
    settings.EMAIL_HOST = "127.0.0.1"

    @task(atomic=False)
    def send(job):
        mail.deliver(job, EmailMessage("Hello", "Text", to=["nina@example.com"]))

    send.enqueue(key="1")


@pytest.fixture
def server(settings):
    with smtp_server() as (port, receiver):
        settings.EMAIL_PORT = port
        yield receiver


def attempt():
    """Make one attempt, and return the job."""
    Job.objects.exclude(run_at=None).update(run_at=timezone.now())
    run_due_jobs()
    return Job.objects.get()


def test_mail_is_sent_once(server):
    assert attempt().state == "done"
    attempt()
    [envelope] = server.received
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert envelope.rcpt_tos == ["nina@example.com"]
    assert message["From"] == "TIKM <desk@example.com>"
    assert message["Message-ID"].startswith("<job.")
    assert message["Message-ID"].endswith("@example.com>")


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_mail_that_is_refused_for_now_is_sent_later(server, command):
    server.answers = {command: ["451 try later"] * 2}
    for _ in range(2):
        job = attempt()
        assert (job.state, server.received) == ("waiting", [])
        assert "451" in job.error
    assert attempt().state == "done"
    assert len(server.received) == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_mail_that_is_refused_for_good_is_not_tried_again(server, command):
    server.answers = {command: ["550 no such mailbox"]}
    job = attempt()
    assert (job.state, job.attempts) == ("failed", 1)
    assert "550 no such mailbox" in job.error
    attempt()
    assert server.received == []


def test_mail_whose_answer_is_lost_is_not_sent_again(server):
    server.is_cutting = True
    job = attempt()
    assert job.state == "failed"
    assert job.error.startswith(runner.INTERRUPTED)
    attempt()
    assert len(server.received) == 1


def test_mail_server_that_is_down_is_tried_for_a_day(settings):
    settings.EMAIL_PORT = free_port()
    for _ in DELAYS:
        job = attempt()
        assert job.state == "waiting"
        assert "ConnectionRefusedError" in job.error
    assert attempt().state == "failed"


def test_mail_server_that_is_down_for_a_while_gets_the_mail_afterwards(settings):
    settings.EMAIL_PORT = free_port()
    attempt()
    with smtp_server() as (port, receiver):
        settings.EMAIL_PORT = port
        assert attempt().state == "done"
    assert len(receiver.received) == 1


@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n"])
def test_silent_mail_server_holds_a_worker_for_its_timeout_only(settings, greeting):
    settings.EMAIL_TIMEOUT = 0.2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_PORT = listener.getsockname()[1]
        client = socket.create_connection(listener.getsockname())  # nothing answers; a second one waits in the queue
        accepted, _ = listener.accept()
        accepted.sendall(greeting)
        job = attempt()
        client.close()
        accepted.close()
    assert (job.state, job.has_begun_effect) == ("waiting", False)
    assert "imeout" in job.error or "timed out" in job.error


def test_development_writes_a_file_for_each_mail(settings, tmp_path):
    settings.EMAIL_BACKEND = "jobs.mail_backends.FileBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    assert attempt().state == "done"
    [path] = (tmp_path / "mail").iterdir()
    assert path.suffix == ".eml"
    assert message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"] == "Hello"
