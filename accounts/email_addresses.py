"""Email addresses. Those set by an admin or a command count as verified; those of a sign-up do not."""

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts import sessions, tokens
from accounts.models import User


def mark_verified(user: User) -> None:
    """Make the user's address their only one, verified. Links that were sent to any other address stop working."""
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)


def replace_addresses(user: User, email: str, *, keep_session: str | None = None) -> None:
    """Replace every address of `user` by `email`, as an admin or a command does, and notify all of them.

    Ends the user's sessions except `keep_session`, and revokes their tokens. Links to confirm an address or to reset
    the password stop working: they name a deleted address, or are signed with the addresses of their time.
    Raises ValidationError if the address belongs to another user.
    """
    addresses = notified_addresses(user)
    try:
        with transaction.atomic():
            user.email = email.lower()
            user.save(update_fields=["email"])
            mark_verified(user)
            sessions.end_other_sessions(user, keep_session)
            tokens.revoke_all(user)
    except IntegrityError as error:
        raise ValidationError(_("This email address is already in use.")) from error
    _announce_replacement(user, addresses)


def is_taken(email: str, *, by_other_than: User) -> bool:
    """Return whether another user has the address, or has verified it."""
    others = User.objects.filter(email__iexact=email).exclude(pk=by_other_than.pk)
    verified = EmailAddress.objects.filter(email__iexact=email, verified=True).exclude(user=by_other_than.pk)
    return others.exists() or verified.exists()


def verified_addresses(user: User) -> list[str]:
    """Return the user's verified addresses, the primary one first."""
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return list(verified.values_list("email", flat=True))


def notified_addresses(user: User, *removed: str) -> list[str]:
    """Return where notices about the account go: the primary and all verified addresses, and those just removed."""
    found = [user.email, *verified_addresses(user), *removed]
    return list(dict.fromkeys(address.lower() for address in found if address))


def _announce_replacement(user: User, addresses: list[str]) -> None:
    from allauth.account.adapter import get_adapter

    get_adapter().send_notice("account/email/address_replaced", user, dict.fromkeys([*addresses, user.email]))
