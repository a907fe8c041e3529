"""Delete unsent uploads and orphaned files. Run it daily."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets import files


class Command(BaseCommand):
    """See `help`."""

    help = (
        "Delete uploads that are in no draft and were not sent within a day, and stored files without an attachment."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{files.prune()} files deleted.")
