"""Render stored messages again. Run it after an upgrade that changes the renderer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets.markdown import RENDERER_VERSION
from tickets.markdown.stored import render_again
from tickets.models import Reply, Ticket


class Command(BaseCommand):
    """See `help`."""

    help = (
        "Render the messages that an older renderer wrote. The desk keeps working meanwhile. "
        "If it is interrupted, start it again: it goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --all."""
        parser.add_argument("--all", action="store_true", help="Render all messages, also current ones.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Render, and report the progress."""
        for model in (Ticket, Reply):
            messages = model.objects.exclude(renderer_version=RENDERER_VERSION)
            total = 0
            for count in render_again(model.objects.all() if options["all"] else messages, model.text_field):
                total += count
                self.stdout.write(f"{model._meta.verbose_name_plural}: {total}", ending="\r")
            self.stdout.write(f"{model._meta.verbose_name_plural}: {total} rendered")
