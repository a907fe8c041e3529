"""Delete jobs that ended some time ago."""

from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.utils import timezone

from jobs.models import Job

DONE_DAYS: Final = 7
FAILED_DAYS: Final = 30


class Command(BaseCommand):
    """See `help`."""

    help = f"Delete jobs that were done {DONE_DAYS} days ago, and those that failed {FAILED_DAYS} days ago."

    def handle(self, *_args: Any, **_options: Any) -> None:
        now, deleted = timezone.now(), 0
        for state, days in ((Job.State.DONE, DONE_DAYS), (Job.State.FAILED, FAILED_DAYS)):
            deleted += Job.objects.filter(state=state, finished_at__lt=now - timedelta(days=days)).delete()[0]
        self.stdout.write(f"{deleted} jobs deleted.")
