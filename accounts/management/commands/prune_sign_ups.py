"""Delete sign-ups whose address was not confirmed."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.sign_in import sign_ups


class Command(BaseCommand):
    """Deletes accounts that were never used."""

    help = "Delete accounts whose address was not confirmed within a week; run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and print the number of accounts."""
        self.stdout.write(f"{sign_ups.discard_old()} unconfirmed accounts deleted.")
