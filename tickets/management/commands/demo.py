"""Fills a fresh database with the demo desk."""

import random
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from tickets.management import demo_data


class Command(BaseCommand):
    """Offices, people and a few hundred believable tickets, all made by the verbs."""

    help = "Fill a fresh database with the demo desk (DEBUG only: its passwords are known to everybody)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe what `make run` needs."""
        parser.add_argument("--tickets", type=int, default=240, help="how many")
        parser.add_argument("--if-empty", action="store_true", help="leave a database with people alone")
        parser.add_argument("--migrate", action="store_true", help="bring the database's tables up to date first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the desk, unless there is one."""
        if not settings.DEBUG:
            raise CommandError("The demo desk has known passwords: it is made with DEBUG=true only.")
        if options["migrate"]:
            call_command("migrate", verbosity=0, interactive=False)
        if User.objects.exists():
            if not options["if_empty"]:
                raise CommandError("There are people in this database: the demo desk wants a fresh one.")
        else:
            demo_data.create_demo_data(random.Random(1), tickets=options["tickets"])
        self.stdout.write(demo_data.welcome())
