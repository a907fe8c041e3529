"""Delete drafts that are not continued. Run it daily."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets import drafts


class Command(BaseCommand):
    """See `help`."""

    help = "Delete drafts that were not changed for 30 days, and what is left of those that were sent."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{drafts.prune()} drafts deleted.")
