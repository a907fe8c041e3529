"""Erase a person."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from tickets.privacy.erasure import erase_person
from tickets.privacy.people import find_person


class Command(BaseCommand):
    """See `help`."""

    help = "Erase a person: their name, addresses, sessions and tokens. It cannot be undone; export their data first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the person and what happens to their tickets."""
        parser.add_argument("email", metavar="EMAIL", help="an email address of the person")
        parser.add_argument("--delete-tickets", action="store_true", help="delete the tickets that they opened, too")
        parser.add_argument("--assign-to", metavar="EMAIL", help="who takes on their open tickets (default: no one)")
        parser.add_argument("--no-input", action="store_false", dest="interactive", help="do not ask")
        parser.add_argument("--by", metavar="EMAIL", help="the admin that the timeline names")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Erase after the address was typed again, and report what happened."""
        person = find_person(options["email"])
        if options["interactive"]:
            self._confirm(person)
        to, by = (find_person(options[key]) if options[key] else None for key in ("assign_to", "by"))
        try:
            done = erase_person(person, by=by, to=to, delete_tickets=options["delete_tickets"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except PermissionDenied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Erased. Tickets deleted: {done.deleted_tickets}, kept: {done.kept_tickets}, "
            f"handed over: {done.handed_over}."
        )

    def _confirm(self, person: User) -> None:
        self.stdout.write(f"This erases {person.name} <{person.email}>, and cannot be undone.")
        if input("Type the address again to erase this person: ").strip().lower() != person.email:
            raise CommandError("Nothing was erased.")
