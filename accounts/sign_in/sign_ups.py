"""Sign-ups whose address was not confirmed: a later sign-up replaces them, and they are deleted after a week."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet
from django.utils import timezone

from accounts.models import User

KEPT = timedelta(days=7)  # the link of the mail is valid for three


def unconfirmed_users() -> QuerySet[User]:
    """Return the customers with a password who never confirmed an address, nor signed in."""
    verified = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    customers = User.objects.filter(~Exists(verified), role=User.Role.CUSTOMER, last_login=None)
    return customers.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)  # not from a sign-up


def is_taken(email: str, *, by_other_than: User | None = None) -> bool:
    """Return whether another user has the address, or has verified it; an unconfirmed sign-up does not count."""
    verified = EmailAddress.objects.filter(email=email.lower(), verified=True)
    users = User.objects.filter(email__iexact=email).exclude(pk__in=unconfirmed_users().values("pk"))
    if by_other_than is not None:
        verified, users = verified.exclude(user=by_other_than.pk), users.exclude(pk=by_other_than.pk)
    return verified.exists() or users.exists()


@transaction.atomic
def discard(users: QuerySet[User]) -> int:
    """Delete those of `users` that are unconfirmed and have no tickets; return their number."""
    discarded = 0
    for user in users.filter(pk__in=unconfirmed_users().values("pk")):
        try:
            with transaction.atomic():
                user.delete()
        except ProtectedError:
            continue  # they wrote something, by mail for example
        discarded += 1
    return discarded


def discard_others(email: str, *, than: User) -> None:
    """Delete an unconfirmed sign-up with the address, which `than` is about to have."""
    discard(User.objects.filter(email__iexact=email).exclude(pk=than.pk))


def discard_old() -> int:
    """Delete the sign-ups that were not confirmed within a week; return their number."""
    return discard(User.objects.filter(date_joined__lt=timezone.now() - KEPT))
