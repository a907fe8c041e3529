"""Invite people, and let them accept."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from allauth.account.adapter import get_adapter
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import email_addresses, policies
from accounts.models import Invitation, Office, User
from accounts.sign_in import sign_ups

VALID_FOR: Final = timedelta(days=7)
KEPT_FOR: Final = timedelta(days=30)  # after they have expired
TEMPLATE: Final = "account/email/invitation"
SALT: Final = "accounts.invitations"


def open_invitations() -> QuerySet[Invitation]:
    """Return the invitations that may still be accepted, once they are sent again if they have expired."""
    return Invitation.objects.filter(accepted_at=None, revoked_at=None)


def invite(email: str, *, by: User, role: str, offices: Iterable[Office] = (), name: str = "") -> Invitation:
    """Invite a person by mail. Raises PermissionDenied, ValidationError."""
    _require_manager(by)
    email, offices = email.strip().lower(), list(offices)
    validate_email(email)
    if offices and role != User.Role.AGENT:
        raise ValidationError({"offices": _("Only agents work in offices.")})
    if sign_ups.is_taken(email):
        raise ValidationError({"email": _("This email address is already in use.")})
    invitation = Invitation(email=email, name=name, role=role, invited_by=by, expires_at=_expiry())
    invitation.clean_fields()
    try:
        with transaction.atomic():
            invitation.save()
            invitation.offices.set(offices)
            _send(invitation, by)
    except IntegrityError as error:
        raise ValidationError({"email": _("This person is already invited. Send the invitation again.")}) from error
    return invitation


@transaction.atomic
def resend(invitation: Invitation, *, by: User) -> Invitation:
    """Send an open invitation again, for another week, as one of `by`; the link of before ends.

    Raises PermissionDenied, ValidationError.
    """
    _require_manager(by)
    invitation = _locked(invitation)
    invitation.expires_at, invitation.invited_by = _expiry(), by
    invitation.save(update_fields=["expires_at", "invited_by"])
    _send(invitation, by)
    return invitation


@transaction.atomic
def revoke(invitation: Invitation, *, by: User) -> Invitation:
    """End an open invitation: its link stops working. Raises PermissionDenied, ValidationError."""
    _require_manager(by)
    invitation = _locked(invitation)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    return invitation


def path_of(invitation: Invitation) -> str:
    """Return the path of the link. It names the time of expiry: one that was sent before is another."""
    return reverse("invitation", args=[_signed(invitation.pk.hex, invitation.expires_at)])


def find(token: str) -> Invitation | None:
    """Return the invitation of a link, if it can be accepted now."""
    try:
        key, moment = signing.Signer(salt=SALT).unsign(token).split(".")
    except (signing.BadSignature, ValueError):
        return None
    found = open_invitations().select_related("invited_by").filter(pk=key).first()
    is_valid = found is not None and not found.has_expired and _stamp(found.expires_at) == moment
    return found if is_valid else None


@transaction.atomic
def accept(invitation: Invitation, *, name: str, password: str) -> User:
    """Create the account of an invited person, whose link proves their address. Raises ValidationError."""
    invitation = _locked(invitation)
    if invitation.has_expired or sign_ups.is_taken(invitation.email):
        raise ValidationError(_("This link is no longer valid"))
    user = User(email=invitation.email, name=name, role=invitation.role)
    sign_ups.discard_others(user.email, than=user)
    user.set_password(password)
    user.save()
    email_addresses.mark_verified(user)
    _accepted(invitation, user)
    return user


def accept_by_address(user: User) -> None:
    """Give a new user, whose address is verified, the role and the offices that an invitation offers them."""
    invitation = open_invitations().select_for_update().filter(email=user.email).first()
    if invitation is not None and not invitation.has_expired:
        user.role = invitation.role
        user.save(update_fields=["role"])
        _accepted(invitation, user)


def discard_old() -> int:
    """Delete the invitations that expired a month ago, whatever became of them; return their number."""
    return (
        Invitation.objects.filter(expires_at__lt=timezone.now() - KEPT_FOR).delete()[1].get("accounts.Invitation", 0)
    )


def _require_manager(by: User) -> None:
    if not policies.can_manage_users(by):
        raise PermissionDenied(_("Only admins can invite people."))


def _locked(invitation: Invitation) -> Invitation:
    """Lock an open invitation. Raises ValidationError if it is not open any more."""
    found = open_invitations().select_for_update().filter(pk=invitation.pk).first()
    if found is None:
        raise ValidationError(_("This invitation was already accepted or revoked."))
    return found


def _accepted(invitation: Invitation, user: User) -> None:
    user.offices.set(invitation.offices.all())
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])


def _send(invitation: Invitation, by: User) -> None:
    get_adapter().send_mail(TEMPLATE, invitation.email, {"invited_by": by.name})


def _expiry() -> datetime:
    return timezone.now() + VALID_FOR


def _signed(key: str, moment: datetime) -> str:
    return signing.Signer(salt=SALT).sign(f"{key}.{_stamp(moment)}")


def _stamp(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1_000_000))
