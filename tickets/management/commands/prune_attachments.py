"""Deletes uploads that nobody sent, and stored files that belong to nothing."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets import files


class Command(BaseCommand):
    """Run it daily."""

    help = "Deletes uploads that were not sent within a day, and stored files that no attachment names."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Sweep, and say how many went."""
        self.stdout.write(f"{files.prune()} files deleted.")
