"""Test that each mail owed is sent once or shows as failed, and each received one is there once, whatever fails.

FAULT_SECONDS says how long things break, FAULT_SEED in which order.
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests.faults import report
from tests.faults.mail_run.faults import TWICE, Correspondence, MailFaults
from tests.faults.mail_run.smtp_server import SmtpServer
from tests.mail.inbound.dovecot import Dovecot
from tests.support.servers import instances, migrated
from tests.support.servers.instances import wait_until

SECONDS = float(os.environ.get("FAULT_SECONDS", "50"))
PAUSE = 3.0  # seconds from one fault to the next, on average
PERIOD = 0.7  # seconds from one message to the next
SETTLED_WITHIN = 180  # seconds
CUSTOMERS = {"casey", "greta"}


@pytest.fixture
def folder():
    with TemporaryDirectory(prefix="tikm-mail-") as name:
        path = Path(name)
        path.chmod(0o755)
        for each in ("smtp", "imap", "worker0", "worker1"):
            (path / each).mkdir()
        yield path


@pytest.fixture
def smtp(folder):
    with SmtpServer(folder / "smtp") as server:
        yield server


@pytest.fixture
def imap(folder):
    with Dovecot(folder / "imap") as server:
        yield server


@pytest.fixture
def environment(smtp):
    with migrated.postgres() as url:
        yield instances.environment(
            {
                "DATABASE_URL": url,
                "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
                "MAIL_REPLY_ADDRESS": "reply@desk.example.com",
                "DJANGO_SETTINGS_MODULE": "tests.faults.mail_run.settings",
            }
        )


def run_site(environment, *words):
    command = [sys.executable, "-m", "tests.faults.mail_run.site", *words]
    ran = subprocess.run(command, cwd=instances.TOP, env=environment, check=True, stdout=subprocess.PIPE)
    return json.loads(ran.stdout)


class Worker(instances.Instance):
    """`manage.py worker` with one process for jobs."""

    def __init__(self, directory, environment):
        super().__init__([sys.executable, "manage.py", "worker", "--processes", "1"], directory, env=environment)
        self.spawning["cwd"] = instances.TOP

    def answers(self):
        return True


@pytest.fixture
def addresses(environment, imap):
    return run_site(environment, "prepare", str(imap.port))


@pytest.fixture
def workers(environment, folder, addresses):
    with Worker(folder / "worker0", environment) as one, Worker(folder / "worker1", environment) as two:
        yield [one, two]


def unfinished(environment, messages):
    """Return how many messages are not stored yet, and jobs not done."""
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        (stored,) = connection.execute("SELECT count(*) FROM mail_receivedmessage").fetchone()
        (jobs,) = connection.execute("SELECT count(*) FROM jobs_job WHERE run_at IS NOT NULL").fetchone()
    return messages - stored, jobs


def settle(environment, messages):
    """Wait until nothing is left to do; return what is left."""
    with suppress(TimeoutError):
        wait_until(lambda: unfinished(environment, messages) == (0, 0), timeout=SETTLED_WITHIN, message="")
    return unfinished(environment, messages)


def check_summaries(mails):
    """Of a person and a day there is one summary, whose parts were sent or failed together."""
    summaries = defaultdict(set)
    for mail in mails:
        if mail["day"] and mail["state"] != "cancelled":
            summaries[mail["log"][1], mail["day"]].add((mail["log"][0], mail["state"]))
    assert {len(found) for found in summaries.values()} == {1}
    assert {address for address, _day in summaries} == {"greta@example.com", "bao@example.com"}
    assert len(summaries) > 3


def test_each_mail_is_sent_once_and_each_received_one_is_there_once(
    addresses, environment, workers, smtp, imap, seed
):
    faults = MailFaults(workers, smtp, imap, seed)
    written = Correspondence(addresses, imap, Random(seed))
    faults.run(written, seconds=SECONDS, pause=PAUSE, period=PERIOD)
    number = len(written.replies) + len(written.tickets)
    left = settle(environment, number)
    truth, log = run_site(environment, "truth"), Counter(smtp.accepted())
    mails = truth["mails"]
    states = Counter(mail["state"] for mail in mails)
    report.written["Fault run of mail"] = [
        f"seed {seed}; faults {faults.done.total()}: {report.words(faults.done)}",
        f"messages {number}, delivered {written.delivered}, fetched {truth['copies']}",
        f"summaries {len({(mail['log'][1], mail['day']) for mail in mails if mail['day']})}",
        f"mails owed {len(mails)}: {report.words(states)}; accepted by the mail server {log.total()}",
        f"failed: {report.words(Counter(mail['reason'][:90] for mail in mails if mail['state'] == 'failed'))}",
    ]
    assert min(faults.done[kind] for kind in faults.kinds) >= TWICE
    # Also if something is left: what is there twice is the reason, more often than not.
    assert {key: times for key, times in log.items() if times > 1} == {}
    assert left == (0, 0), "messages not stored, jobs not done"
    # What was received is there once.
    assert Counter(truth["replies"]) == Counter(list(written.replies))
    assert set(written.tickets) <= set(truth["tickets"])
    assert len(truth["tickets"]) == len(written.tickets) + len(addresses["bao"])
    assert {state for state, _reason, _detail in truth["received"]} == {"processed"}
    # What is owed was sent once, or shows as failed.
    assert set(states) <= {"sent", "failed", "cancelled"}
    sent = {tuple(mail["log"]) for mail in mails if mail["state"] == "sent"}
    assert sent <= log.keys() <= {tuple(mail["log"]) for mail in mails if mail["state"] in ("sent", "failed")}
    assert states["sent"] > states["failed"] > 0
    check_summaries(mails)
    assert all(mail["reason"] for mail in mails if mail["state"] == "failed")
    owed = Counter((mail["event"], mail["about"]) for mail in mails if mail["event"] in ("reply", "receipt"))
    expected = Counter({("reply", text): 1 for text, name in written.replies.items() if name not in CUSTOMERS})
    assert owed - Counter({key: 1 for key in owed if key[0] == "receipt"}) == expected
    assert {about for event, about in owed if event == "receipt"} >= set(written.tickets)
