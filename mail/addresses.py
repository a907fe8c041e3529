"""Addresses to which a person answers a mail about a ticket: `reply+{ticket}.{signature}@desk.example`.

The ticket's part is its reference, the signature is of ticket and person. Nothing is stored, and nothing has to be
revoked: an address works as long as its person may read the ticket.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User
from mail.outbound import recipients
from tickets import policies
from tickets.models import Ticket

SIGNATURE_BYTES: Final = 15  # 120 bits; 24 letters
SALT: Final = "mail.addresses"
# Mail servers may change the case of the local part.
_ADDRESS: Final = re.compile(r"[^@\s]*\+([0-9a-z]{7})\.([a-z2-7]{24})@[^@\s]+", re.IGNORECASE)


@dataclass(frozen=True)
class ReplyTarget:
    """Where an answer belongs, and the person that its address was given to."""

    ticket: Ticket
    user: User


def reply_address(ticket: Ticket, user: User) -> str:
    """Return the address for answers of `user` to `ticket`; "" without MAIL_REPLY_ADDRESS."""
    local, _at, domain = settings.MAIL_REPLY_ADDRESS.rpartition("@")
    if not domain:
        return ""
    return f"{local}+{ticket.reference.replace('-', '').lower()}.{_signature(ticket, user)}@{domain}"


def parse_reply_address(address: str) -> ReplyTarget | None:
    """Return what an address stands for; None for any other one, and if its person may not read the ticket (now)."""
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    token, signature = found[1].upper(), found[2].lower()
    ticket = Ticket.objects.select_related(*Ticket.RELATED).filter(reference=f"{token[:3]}-{token[3:]}").first()
    if ticket is None:
        return None
    for user in recipients.readers(ticket):
        if constant_time_compare(_signature(ticket, user), signature):
            return ReplyTarget(ticket, user) if policies.audience_of(user, ticket) is not None else None
    return None


def _signature(ticket: Ticket, user: User) -> str:
    digest = salted_hmac(SALT, f"{ticket.uuid} {user.pk}", algorithm="sha256").digest()
    return base64.b32encode(digest[:SIGNATURE_BYTES]).decode().lower()
