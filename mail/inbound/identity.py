"""Who sent a message: only the receiving server's own statement makes an address more than a claim."""

from email.utils import parseaddr

from django.conf import settings

from mail.inbound.parsing import ParsedMail
from mail.inbound.parsing.authentication import is_aligned
from mail.models import Mailbox

MAX_HOPS = 50


def is_verified(parsed: ParsedMail, mailbox: Mailbox) -> bool:
    """Return whether the mailbox's own server says that the sender's domain sent the message."""
    found = parsed.authentication
    if parsed.sender is None or not mailbox.authserv_id or found.authserv_id != mailbox.authserv_id.lower():
        return False
    return is_aligned(parsed.sender.email, found.verified_domains)


def is_own_mail(parsed: ParsedMail) -> bool:
    """Return whether this help desk sent the message, or it goes round in circles."""
    senders = (settings.DEFAULT_FROM_EMAIL, settings.MAIL_REPLY_ADDRESS)
    own = {*(parseaddr(sender)[1].lower() for sender in senders), *Mailbox.objects.values_list("address", flat=True)}
    return parsed.hops > MAX_HOPS or (parsed.sender is not None and parsed.sender.email in own)
