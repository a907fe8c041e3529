"""Look up the person that a command names."""

from django.core.management.base import CommandError

from accounts.models import User


def find_person(email: str) -> User:
    """Return the person with this email address, primary or not. Raises CommandError."""
    people = User.objects.filter(email__iexact=email) or User.objects.filter(
        emailaddress__email__iexact=email, emailaddress__verified=True
    )
    person = people.first()
    if person is None:
        raise CommandError(f"No person has the email address {email}.")
    return person
