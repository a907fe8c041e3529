"""The steps of `realtime_doctor` on worker and mail: what is broken, and that the printed fix mends it."""

import socketserver
from contextlib import contextmanager
from threading import Thread

import pytest

from jobs import doctor
from jobs.models import Job
from realtime.doctor.problem import Problem, Untested
from tests.jobs.smtp import smtp_server
from tests.support.jobs import run_due_jobs
from tests.support.servers.instances import free_port


@pytest.fixture
def mail_to(settings):
    """Send mail to a server on loopback from now on."""

    def use(port):
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = doctor.SMTP, "127.0.0.1", port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    return use


@contextmanager
def refusing_server():
    """A mail server that refuses every client."""

    class Refuse(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"554 5.7.1 This machine is on a block list\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Refuse) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_worker_that_does_not_run_is_named_until_one_runs(db, monkeypatch):
    monkeypatch.setattr(doctor, "WORKER_SECONDS", 0.2)
    with pytest.raises(Problem, match=r"Start `manage.py worker`"):
        doctor.check_worker()
    monkeypatch.setattr(doctor.time, "sleep", lambda _: run_due_jobs())
    assert doctor.check_worker().startswith("a job takes ")
    assert not Job.objects.exists()


def test_mail_server_that_does_not_answer_is_named_until_it_does(mail_to):
    mail_to(free_port())
    with pytest.raises(Problem, match=r"does not answer: .*Connection refused.*set EMAIL_URL"):
        doctor.check_mail()
    with smtp_server() as (port, receiver):
        mail_to(port)
        assert doctor.check_mail() == f"the mail server 127.0.0.1:{port} accepts this machine"
        assert receiver.received == []


def test_mail_server_that_refuses_is_quoted(mail_to):
    with refusing_server() as port:
        mail_to(port)
        with pytest.raises(Problem, match=r"block list.*Have it accept this machine, or set EMAIL_URL"):
            doctor.check_mail()


def test_mail_in_files_is_not_tested(settings):
    settings.EMAIL_BACKEND = "jobs.mail_backends.FileBackend"
    with pytest.raises(Untested, match="mails go to FileBackend"):
        doctor.check_mail()
