"""`manage.py poll_mailboxes`: fetch mail by IMAP. The worker starts it."""

import logging
import os
import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from mail.inbound.poller import Pollers

logger = logging.getLogger(__name__)

LOOK_INTERVAL: Final = 10.0  # seconds until new mailboxes are noticed
CHECK_INTERVAL: Final = 0.5


class Command(BaseCommand):
    """Polls until its process ends."""

    help = "Fetch the mail of all IMAP mailboxes, as soon as it arrives. The worker starts this by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe for how long."""
        parser.add_argument(
            "--stop-with", type=int, metavar="PID", help="end when the parent process, whose id this is, has ended"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Look for mailboxes now and then."""
        pollers, next_look = Pollers(), time.monotonic()
        while options["stop_with"] in (None, os.getppid()):
            if time.monotonic() >= next_look:
                try:
                    pollers.update()
                except DatabaseError as error:
                    logger.warning("mailboxes unavailable error=%r", str(error))
                connection.close()
                next_look = time.monotonic() + LOOK_INTERVAL
            time.sleep(CHECK_INTERVAL)
