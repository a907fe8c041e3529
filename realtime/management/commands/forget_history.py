"""Empty the event log after a restore, so that every open page reloads its content once."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from realtime.broadcasting import event_log
from realtime.models import Broadcast, LogRetention


class Command(BaseCommand):
    """Pages hold cursors of the database as it was, whose transaction ids may be another cluster's."""

    help = "After restoring a database: empty the event log, and have every open page reload its content once."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Delete events and the mark of the last pruning, and make all cursors so far stale."""
        deleted = Broadcast.objects.all().delete()[1].get(Broadcast._meta.label, 0)
        LogRetention.objects.all().delete()
        event_log.invalidate_history()
        self.stdout.write(f"{deleted} events deleted; open pages will reload their content.")
