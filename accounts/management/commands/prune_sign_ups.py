"""Delete sign-ups whose address was not confirmed, and old invitations."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.invitations import services as invitations
from accounts.sign_in import sign_ups


class Command(BaseCommand):
    """Deletes accounts that were never used, and invitations."""

    help = "Delete accounts whose address was not confirmed within a week, and old invitations; run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and print the number of accounts."""
        self.stdout.write(f"{sign_ups.discard_old()} unconfirmed accounts deleted.")
        self.stdout.write(f"{invitations.discard_old()} old invitations deleted.")
