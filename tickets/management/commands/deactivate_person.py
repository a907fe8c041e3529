"""Deactivate a person and hand on their open tickets."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from tickets.people import handover
from tickets.privacy.people import find_person


class Command(BaseCommand):
    """See `help`."""

    help = "Deactivate a person: end their sessions, and unassign their open tickets or assign them to a colleague."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the person, the colleague and the acting admin."""
        parser.add_argument("email", metavar="EMAIL", help="an email address of the person")
        parser.add_argument("--assign-to", metavar="EMAIL", help="who takes on their open tickets (default: no one)")
        parser.add_argument("--by", metavar="EMAIL", help="the admin that the timeline names (default: the person)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Deactivate, and report the number of tickets."""
        person = find_person(options["email"])
        to, by = (find_person(options[key]) if options[key] else None for key in ("assign_to", "by"))
        try:
            number = handover.deactivate(person, by=by, to=to)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except PermissionDenied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{person.email} is deactivated. Tickets handed over: {number}.")
