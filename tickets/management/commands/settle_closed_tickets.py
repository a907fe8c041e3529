"""Correct since when tickets are closed. Run it after an upgrade during which older processes kept running."""

from typing import Any

from django.core.management.base import BaseCommand

from tickets.closing import settle


class Command(BaseCommand):
    """See `help`."""

    help = (
        "Correct since when tickets are closed, where processes of an older release changed the status only. "
        "The worker does it daily."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Correct, and report how many tickets it were."""
        self.stdout.write(f"tickets: {sum(settle())} corrected")
