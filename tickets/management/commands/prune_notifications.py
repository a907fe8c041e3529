"""Delete old notifications."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets.notifications import records


class Command(BaseCommand):
    """See `help`."""

    help = f"Delete notifications that are older than {records.RETENTION.days} days."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{records.prune()} notifications deleted.")
