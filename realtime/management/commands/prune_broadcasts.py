"""Trims the log, and what was counted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from realtime.broadcasting import event_log
from realtime.conf import config
from realtime.models import RateCounter


class Command(BaseCommand):
    """A page whose cursor lies before what is kept renews itself."""

    help = "Delete broadcasts that are older than some days; run it daily."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe the age."""
        parser.add_argument(
            "--days", type=int, default=config().retention_days, help="keep so many (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        RateCounter.delete_expired()
        self.stdout.write(f"{event_log.prune(options['days'])} broadcasts deleted.")
