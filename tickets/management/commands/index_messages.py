"""Index messages for search. Run it after an upgrade that changes how texts are folded."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets.search.indexing import index_again


class Command(BaseCommand):
    """See `help`."""

    help = (
        "Index the messages that search does not find yet. The desk keeps working meanwhile. "
        "If it is interrupted, start it again: it goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --all."""
        parser.add_argument("--all", action="store_true", help="Index all messages again.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Index, and report the progress."""
        total = 0
        for count in index_again(everything=options["all"]):
            total += count
            self.stdout.write(f"messages: {total}", ending="\r")
        self.stdout.write(f"messages: {total} indexed")
