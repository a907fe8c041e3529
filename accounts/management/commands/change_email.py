"""Replace the email addresses of a user."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts import email_addresses
from accounts.models import User
from accounts.sign_in import sign_ups


class Command(BaseCommand):
    """Does what an admin does on the user's page, for a site whose only admin has lost their mailbox."""

    help = "Replace every email address of a user; ends their sessions and revokes their API tokens."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("old", help="the address the user signs in with")
        parser.add_argument("new", help="their only address from now on; it counts as verified")

    def handle(self, *args: Any, old: str, new: str, **options: Any) -> None:
        """Replace, or say which address is wrong."""
        user = User.objects.filter(email__iexact=old).first()
        if user is None:
            raise CommandError(f"No user has the address {old}.")
        try:
            validate_email(new)
            if sign_ups.is_taken(new, by_other_than=user):
                raise CommandError(f"{new} belongs to another user.")
            email_addresses.replace_addresses(user, new)
        except ValidationError as error:
            raise CommandError(f"{new}: {' '.join(error.messages)}") from error
        self.stdout.write(f"{user.email} is now the address of {user.name}.")
