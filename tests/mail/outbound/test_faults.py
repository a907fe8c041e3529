"""Workers and the mail server fail at any moment while mails are owed: each is sent once, or shows as failed."""

import random
from collections import Counter
from email import message_from_bytes

import pytest
from django.utils import timezone

from jobs import runner
from jobs.models import Job
from mail.models import OutgoingMail, preferences
from mail.outbound import deliveries
from tests.jobs.smtp import smtp_server
from tests.support.jobs import claim
from tests.support.servers.instances import free_port
from tickets.models import NotificationKind

pytestmark = pytest.mark.django_db
MAILS, ROUNDS, SEED = 12, 8, 2


class Killed(BaseException):
    """The worker process ends here."""


def kill(*_args, **_values):
    raise Killed


class Faults:
    """Runs jobs, and lets something go wrong in most of them."""

    def __init__(self, seed, receiver, settings, port, monkeypatch):
        self.random, self.receiver, self.settings, self.port = random.Random(seed), receiver, settings, port
        self.monkeypatch = monkeypatch
        self.deck = []

    def next_fault(self):
        """Return each fault equally often, in random order."""
        self.deck = self.deck or self.random.sample(FAULTS, len(FAULTS))
        return self.deck.pop()

    def run_round(self, *, with_faults):
        """Run each due job once."""
        Job.objects.exclude(run_at=None).update(run_at=timezone.now())
        for arguments in iter_claimed():
            fault = self.next_fault() if with_faults else "none"
            with self.monkeypatch.context() as patched:
                try:
                    self.prepare(fault, patched)
                    runner.run(*arguments)
                except Killed:
                    pass
            self.receiver.answers, self.receiver.is_cutting = {}, False
            self.settings.EMAIL_PORT = self.port

    def prepare(self, fault, patched):
        if fault == "killed when claimed":
            raise Killed
        if fault == "killed before the text":
            begin = Job.begin_effect
            patched.setattr(Job, "begin_effect", lambda job: (begin(job), kill()))
        if fault == "killed after sending":
            patched.setattr(deliveries, "change_state", kill)
        if fault == "killed at the end":
            patched.setattr(Job, "finish", kill)
        if fault in ("451", "550"):
            self.receiver.answers = {self.random.choice(["RCPT", "DATA"]): [f"{fault} no"]}
        self.receiver.is_cutting = fault == "answer lost"
        self.settings.EMAIL_PORT = free_port() if fault == "server down" else self.port


FAULTS = (
    "none", "killed when claimed", "killed before the text", "killed after sending", "killed at the end", "451",
    "550", "answer lost", "server down",
)  # fmt: skip


def iter_claimed():
    while claimed := claim():
        yield from claimed


def test_each_mail_is_sent_once_or_shows_as_failed(cast, settings, monkeypatch):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "jobs.mail_backends.SMTPBackend", "127.0.0.1"
    preferences.set_modes(cast.casey, {NotificationKind.REPLY: "now"})
    for number in range(MAILS):
        cast.reply(cast.bao, f"Answer {number}")
    with smtp_server() as (port, receiver):
        faults = Faults(SEED, receiver, settings, port, monkeypatch)
        for _ in range(ROUNDS):
            faults.run_round(with_faults=True)
        faults.run_round(with_faults=False)
    log = Counter(message_from_bytes(envelope.content)["Message-ID"] for envelope in receiver.received)
    assert set(log.values()) == {1}
    states = {f"<{mail.message_id}>": mail.state for mail in OutgoingMail.objects.all()}
    assert set(states.values()) == {"sent", "failed"}
    assert {name for name, state in states.items() if state == "sent"} <= log.keys()
    assert log.keys() <= states.keys()
