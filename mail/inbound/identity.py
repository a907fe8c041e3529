"""Who sent a message: only the receiving server's own statement makes an address more than a claim."""

from email.utils import parseaddr

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from accounts.lines import validate_person_name
from accounts.models import User
from mail.inbound.parsing import Address, ParsedMail
from mail.inbound.parsing.authentication import is_aligned
from mail.models import Mailbox

MAX_HOPS = 50


def is_verified(parsed: ParsedMail, mailbox: Mailbox) -> bool:
    """Return whether the mailbox's own server says that the sender's domain sent the message."""
    found = parsed.authentication
    if parsed.sender is None or not mailbox.authserv_id or found.authserv_id != mailbox.authserv_id.lower():
        return False
    return is_aligned(parsed.sender.email, found.verified_domains)


def find_user(email: str) -> User | None:
    """Return the user whose address this is: a verified one, or that of the account."""
    owners = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    return User.objects.filter(Q(pk__in=owners) | Q(email__iexact=email), erased_at=None).first()


def create_customer(sender: Address) -> User:
    """Return a new customer without a password, whose address is not verified: a mail proves its domain at most."""
    user = User(email=sender.email, name=person_name(sender))
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        EmailAddress.objects.create(user=user, email=user.email, primary=True)
    return user


def person_name(sender: Address) -> str:
    """Return the display name, or the beginning of the address where the name may not be one."""
    for name in (sender.name, sender.email.partition("@")[0]):
        try:
            validate_person_name(name)
        except ValidationError:
            continue
        return name[:100]
    return "Customer"


def is_own_mail(parsed: ParsedMail) -> bool:
    """Return whether this help desk sent the message, or it goes round in circles."""
    senders = (settings.DEFAULT_FROM_EMAIL, settings.MAIL_REPLY_ADDRESS)
    own = {*(parseaddr(sender)[1].lower() for sender in senders), *Mailbox.objects.values_list("address", flat=True)}
    return parsed.hops > MAX_HOPS or (parsed.sender is not None and parsed.sender.email in own)
