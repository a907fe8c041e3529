"""Shortens what the product waits for, so that a run of a minute has many failures and recoveries."""

from dataclasses import replace
from datetime import timedelta

from django.apps import AppConfig

TIMEOUT = 8  # seconds that a job may run
DELAYS = (timedelta(seconds=1),) * 60  # before each further attempt


class MailRunConfig(AppConfig):
    """Changes the constants once all apps are there."""

    name = "tests.faults.mail_run"

    def ready(self):
        """Shorten leases, attempts and the silence of the IMAP server."""
        from jobs import models
        from jobs.management.commands import worker
        from jobs.registry import tasks
        from mail.inbound import imap, poller

        models.GRACE = timedelta(seconds=1)
        worker.COMPANION_INTERVAL = 1.0
        imap.TIMEOUT, imap.IDLE_SECONDS = 2, 3
        poller.FIRST_PAUSE = poller.LONGEST_PAUSE = 0.5
        for name, task in tasks.items():
            tasks[name] = replace(task, timeout=TIMEOUT, delays=DELAYS)
