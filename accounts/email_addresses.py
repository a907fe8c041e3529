"""Email addresses. Those set by an admin or a command count as verified; those of a sign-up do not."""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AddressConfirmation, User
from accounts.sign_in import sessions, sign_ups, tokens

RECENT = timedelta(days=30)


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
            sign_ups.discard_others(email, than=user)
            user.email = email.lower()
            user.save(update_fields=["email"])
            mark_verified(user)
            sessions.end_other_sessions(user, keep_session)
            tokens.revoke_all(user)
    except IntegrityError as error:
        raise ValidationError(_("This email address is already in use.")) from error
    _announce_replacement(user, addresses)


def record_confirmation(address: EmailAddress) -> None:
    """Record that the address was confirmed now."""
    AddressConfirmation.objects.update_or_create(address=address, defaults={"confirmed_at": timezone.now()})


@transaction.atomic
def remove_recent_addresses(user: User) -> list[str]:
    """Remove the addresses that were confirmed in the last 30 days or never, and return the confirmed ones.

    An intruder may have added them. The address confirmed first stays in any case, and becomes the
    primary one if the primary one is removed.
    """
    recent = Q(confirmation__confirmed_at__gt=timezone.now() - RECENT)
    verified = EmailAddress.objects.filter(user=user, verified=True)
    by_age = verified.order_by(F("confirmation__confirmed_at").asc(nulls_first=True), "pk")
    kept = list(by_age.exclude(recent)) or list(by_age[:1])
    if not kept:
        return []
    others = EmailAddress.objects.filter(user=user).exclude(pk__in=[address.pk for address in kept])
    removed = list(others.filter(verified=True).values_list("email", flat=True))
    others.delete()
    if not any(address.primary for address in kept):
        kept[0].user = user
        kept[0].set_as_primary()
    return removed


def may_reset_password(user: User, email: str) -> bool:
    """Return whether a link for a new password may go to the address: a verified one, or that of the sign-up."""
    verified = verified_addresses(user)
    return email.lower() in verified if verified else email.lower() == user.email


def verified_addresses(user: User) -> list[str]:
    """Return the user's verified addresses, the primary one first."""
    verified = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    return list(verified.values_list("email", flat=True))


def notified_addresses(user: User, *removed: str) -> list[str]:
    """Return where notices about the account go: the primary and all verified addresses, and those just removed."""
    found = [user.email, *verified_addresses(user), *removed]
    return list(dict.fromkeys(address.lower() for address in found if address))


def announce_removal(user: User, removed: list[str]) -> None:
    """Send a notice about each removed address, to it and to the addresses that are left."""
    for address in removed:
        to = notified_addresses(user, address)
        get_adapter().send_notice("account/email/email_deleted", user, to, {"deleted_email": address})


def _announce_replacement(user: User, addresses: list[str]) -> None:
    get_adapter().send_notice("account/email/address_replaced", user, dict.fromkeys([*addresses, user.email]))
