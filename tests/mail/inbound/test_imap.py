"""A Dovecot server: new mail becomes a ticket at once, and each message once, whatever is killed or stands still."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.test import Client

from jobs.models import Job
from mail import doctor
from mail.inbound import imap, poller, storage
from mail.inbound.parsing import guard
from mail.models import Mailbox, ReceivedMessage
from realtime.doctor.problem import Problem, Untested
from tests.mail.inbound.dovecot import PASSWORD, USER, Dovecot
from tests.mail.inbound.writing import AUTHSERV, write
from tests.support.jobs import run_due_jobs
from tests.support.servers.instances import free_port
from tickets.models import Ticket

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with TemporaryDirectory(prefix="tikm-imap-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Dovecot(folder) as dovecot:
            yield dovecot


@pytest.fixture
def imap_mailbox(cast, server):
    for path in server.mail.rglob("*"):
        if path.is_file():
            path.unlink()
    mailbox = Mailbox(address="billing@desk.example.com", office=cast.billing, authserv_id=AUTHSERV)
    mailbox.imap_host, mailbox.imap_port, mailbox.imap_security = "127.0.0.1", server.port, "none"
    mailbox.imap_username, mailbox.imap_password = USER, PASSWORD
    mailbox.save()
    return Mailbox.objects.get()


def test_message_that_arrives_while_idle_is_announced_fetched_and_in_the_list(imap_mailbox, server, cast):
    with imap.connected(imap_mailbox) as connection:
        assert imap.fetch_new(imap_mailbox, connection) == 0
        threading.Timer(0.2, lambda: server.deliver(write())).start()
        assert imap.wait(connection, 60) is True  # without an announcement: False, a minute later
        assert imap.fetch_new(imap_mailbox, connection) == 1
    run_due_jobs()
    client = Client()
    client.force_login(cast.bao)
    assert "Printer" in client.get("/tickets/").text


def test_message_is_stored_before_it_is_marked(imap_mailbox, server, monkeypatch):
    server.deliver(write())
    with imap.connected(imap_mailbox) as connection:
        monkeypatch.setattr(connection, "flag", lambda *_: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(OSError, match="cut"):
            imap.fetch_new(imap_mailbox, connection)
    monkeypatch.undo()
    assert bytes(ReceivedMessage.objects.get().raw).replace(b"\r\n", b"\n") == write()
    with imap.connected(imap_mailbox) as connection:
        assert imap.fetch_new(imap_mailbox, connection) == 1
        assert imap.fetch_new(imap_mailbox, connection) == 0
    assert ReceivedMessage.objects.get().copies == 2
    run_due_jobs()
    assert Ticket.objects.filter(subject="Printer").count() == 1


def test_message_that_cannot_be_stored_stays_in_the_mailbox(imap_mailbox, server, monkeypatch):
    server.deliver(write())

    def fail(*_):
        raise OSError("disk full")

    with imap.connected(imap_mailbox) as connection:
        monkeypatch.setattr(storage, "store", fail)
        with pytest.raises(OSError, match="disk full"):
            imap.fetch_new(imap_mailbox, connection)
        monkeypatch.undo()
        assert imap.fetch_new(imap_mailbox, connection) == 1


def test_message_that_is_too_large_is_flagged_and_reported(imap_mailbox, server, settings):
    settings.MAIL_MAX_BYTES = 1024
    server.deliver(write("x" * 2000))
    server.deliver(write(message_id="<2@x>"))
    with imap.connected(imap_mailbox) as connection:
        assert [imap.fetch_new(imap_mailbox, connection) for _ in "12"] == [1, 0]
    assert "larger than MAIL_MAX_BYTES" in Mailbox.objects.get().imap_error


def test_server_that_stands_still_is_asked_again(imap_mailbox, server, monkeypatch):
    monkeypatch.setattr(imap, "TIMEOUT", 0.5)
    server.deliver(write())
    with imap.connected(imap_mailbox) as connection, server.hanging(), pytest.raises(poller.FAILURES):
        imap.fetch_new(imap_mailbox, connection)
    with imap.connected(imap_mailbox) as connection:
        assert imap.fetch_new(imap_mailbox, connection) in (0, 1)
    assert ReceivedMessage.objects.count() == 1


def test_failures_are_shown_at_the_mailbox(imap_mailbox):
    imap_mailbox.imap_port = free_port()
    thread = poller.Poller(imap_mailbox)
    with pytest.raises(poller.FAILURES) as error:
        thread._poll()
    thread._report(error.value)
    assert "ConnectionRefused" in Mailbox.objects.get().imap_error


def test_password_is_encrypted_and_never_shown(imap_mailbox, cast):
    assert (PASSWORD in imap_mailbox.imap_secret, imap_mailbox.imap_password) == (False, PASSWORD)
    client = Client()
    client.force_login(cast.ada)
    address = f"/admin/mail/mailbox/{imap_mailbox.pk}/change/"
    page = client.get(address).content.decode()
    assert (PASSWORD in page, imap_mailbox.imap_secret in page) == (False, False)
    fields = (
        "address",
        "unknown_senders",
        "spam_filter",
        "blocked_senders",
        "imap_host",
        "imap_port",
        "imap_security",
        "imap_username",
    )
    values = {name: getattr(imap_mailbox, name) for name in fields} | {"office": cast.billing.pk, "is_active": "on"}
    for password in ("", "another"):
        assert client.post(address, {**values, "password": password}).status_code == 302
        assert Mailbox.objects.get().imap_password == (password or PASSWORD)


def test_doctor_names_what_keeps_mail_out_until_it_is_mended(imap_mailbox, server):
    def broken(match, **values):
        Mailbox.objects.update(**values)
        with pytest.raises(Problem, match=match):
            doctor.check_mail_in()

    right = {"imap_port": server.port, "imap_username": USER, "imap_secret": imap_mailbox.imap_secret}
    broken(r"has not checked billing@desk.example.com yet\. Start `manage.py worker`")
    broken(r"refuses billing@desk.example.com: .*Set user and password", imap_username="")
    broken("cannot be read. Set it again", imap_username=USER, imap_secret="of another key")
    broken(
        r"does not answer: .*Connection refused.*Open the port",
        imap_port=free_port(),
        imap_secret=right["imap_secret"],
    )

    Mailbox.objects.update(**right)
    server.deliver(write())
    with imap.connected(imap_mailbox) as connection:
        imap.fetch_new(imap_mailbox, connection)
    server.deliver(write(message_id="<2@example.com>"))
    assert doctor.check_mail_in() == "1 mailbox open, and checked lately by the worker"
    with imap.connected(imap_mailbox) as connection:
        assert connection.uids("UNSEEN"), "The doctor has marked a message."
    broken(r"has not checked .* since .* UTC: Boom\.", imap_checked_at=LONG_AGO, imap_error="Boom")


def test_doctor_leaves_sites_without_imap_untested(imap_mailbox):
    Mailbox.objects.update(is_active=False)
    with pytest.raises(Untested):
        doctor.check_mail_in()


def test_fetched_message_is_processed_at_once_and_by_one_process_only(imap_mailbox, server, cast, monkeypatch):
    server.deliver(write())
    with imap.connected(imap_mailbox) as connection:
        imap.fetch_new(imap_mailbox, connection)
    [job] = Job.objects.filter(task="mail.inbound.process_received")
    assert job.lease()  # a worker was faster
    poller.process_now(imap_mailbox)
    assert not Ticket.objects.filter(subject="Printer").exists()
    Job.objects.filter(pk=job.pk).update(state="waiting", run_at=LONG_AGO)
    guard.prepare()
    [spare] = guard._waiting
    poller.process_now(imap_mailbox)
    assert Ticket.objects.filter(subject="Printer").count() == 1
    assert spare.returncode == 0  # it was used, and another one waits
    assert [each.poll() for each in guard._waiting] == [None]
    run_due_jobs()
    assert Ticket.objects.filter(subject="Printer").count() == 1
    with guard._waiting.pop() as other:
        other.kill()


def test_many_messages_are_left_to_the_workers(imap_mailbox, server, cast):
    for number in range(poller.MAX_AT_ONCE + 1):
        storage.store(write(message_id=f"<{number}@example.com>"), imap_mailbox)
    poller.process_now(imap_mailbox)
    assert ReceivedMessage.objects.filter(state="received").count() == poller.MAX_AT_ONCE + 1
