"""Shortens what the product waits for, so that a run of a minute has many failures and recoveries."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.apps import AppConfig

TIMEOUT = 8  # seconds that a job may run
DELAYS = (timedelta(seconds=1),) * 60  # before each further attempt
DAY = 10  # seconds of a day of summaries
MARGIN = timedelta(seconds=20)  # longer than a worker stands still within a transaction


def short_day(_user, now):
    """Return the day of the summary that has what happens now, and when it is sent: see `digests.due`."""
    number = int(now.timestamp()) // DAY
    ends_at = datetime.fromtimestamp((number + 1) * DAY, UTC)
    return date(2000, 1, 1) + timedelta(days=number % 500_000), ends_at + MARGIN


class MailRunConfig(AppConfig):
    """Changes the constants once all apps are there."""

    name = "tests.faults.mail_run"

    def ready(self):
        """Shorten leases, attempts and the silence of the IMAP server."""
        from jobs import models
        from jobs.management.commands import worker
        from jobs.registry import tasks
        from mail.inbound import imap, poller
        from mail.outbound import digests

        models.GRACE = timedelta(seconds=1)
        worker.COMPANION_INTERVAL = 1.0
        digests.due = short_day
        imap.TIMEOUT, imap.IDLE_SECONDS = 2, 3
        poller.FIRST_PAUSE = poller.LONGEST_PAUSE = 0.5
        for name, task in tasks.items():
            tasks[name] = replace(task, timeout=TIMEOUT, delays=DELAYS)
