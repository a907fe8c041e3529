"""Who sent a message: only the receiving server's own statement makes an address more than a claim."""

from email.utils import parseaddr

from django.conf import settings
from django.db.models import Q

from accounts.models import DeskSettings, Office
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
    return parsed.hops > MAX_HOPS or (parsed.sender is not None and is_own_address(parsed.sender.email))


def is_own_address(email: str) -> bool:
    """Return whether mail to this address comes back to the desk: of a mailbox or a sender, or for replies."""
    reply = parseaddr(settings.MAIL_REPLY_ADDRESS)[1].lower()
    senders = {reply, parseaddr(settings.DEFAULT_FROM_EMAIL)[1].lower()}
    local, _at, domain = email.lower().rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    if not senders.isdisjoint((email.lower(), plain)):
        return True
    own = Mailbox.objects.filter(address__in=(email.lower(), plain))
    sender = Q(sender_address__iexact=email)
    return own.exists() or Office.objects.filter(sender).exists() or DeskSettings.objects.filter(sender).exists()
