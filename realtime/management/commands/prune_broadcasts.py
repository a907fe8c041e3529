"""Delete old events from the event log, undelivered webhook events, expired counters and values."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from realtime.broadcasting import event_log
from realtime.conf import config
from realtime.models import ExpiringValue, RateCounter, database_time
from realtime.webhooks import delivery


class Command(BaseCommand):
    """Deletes log rows; a page whose cursor is older reloads its content."""

    help = "Delete broadcasts that are older than --days; run it daily."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "--days", type=int, default=config().retention_days, help="days to keep (default %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and print the number of broadcasts."""
        RateCounter.delete_expired()
        ExpiringValue.objects.filter(expires_at__lte=database_time()).delete()
        delivery.delete_undelivered()
        self.stdout.write(f"{event_log.prune(options['days'])} broadcasts deleted.")
