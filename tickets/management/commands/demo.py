"""Fill an empty database with demo data."""

import random
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from tickets.management import demo_data


class Command(BaseCommand):
    """Create offices, users and a few hundred tickets through the services."""

    help = "Fill an empty database with demo data. Requires DEBUG=true: the passwords are public."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tickets", type=int, default=240, help="number of tickets")
        parser.add_argument("--if-empty", action="store_true", help="do nothing if the database has users")
        parser.add_argument("--migrate", action="store_true", help="run the database migrations first")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo data has public passwords; set DEBUG=true to create it.")
        if options["migrate"]:
            call_command("migrate", verbosity=0, interactive=False)
        if User.objects.exists():
            if not options["if_empty"]:
                raise CommandError("The database already has users; demo data needs an empty one.")
        else:
            demo_data.create_demo_data(random.Random(1), tickets=options["tickets"])
        self.stdout.write(demo_data.welcome())
