"""Message-IDs of public messages, and the headers that put an answer below what it answers (RFC 5322, 3.6.4)."""

import secrets
from collections.abc import Iterable
from email.utils import parseaddr
from typing import Final

from django.conf import settings

from mail.models import MessageId, OutgoingMail
from tickets.models import Reply, Ticket

MAX_REFERENCES: Final = 10


def new_message_id() -> str:
    """Return a random Message-ID, without angle brackets: it reveals neither a time nor a number."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return f"{secrets.token_hex(16)}@{domain}"


def message_id(ticket: Ticket, reply: Reply | None = None) -> str:
    """Return the Message-ID of a public message; without `reply`, of the one that opened the ticket."""
    row, _created = MessageId.objects.get_or_create(ticket=ticket, reply=reply, defaults={"value": new_message_id()})
    return row.value


def record_message_id(value: str, *, ticket: Ticket, reply: Reply | None = None) -> None:
    """Record the Message-ID of the mail in which a message came; angle brackets are removed."""
    MessageId.objects.update_or_create(ticket=ticket, reply=reply, defaults={"value": value.strip(" <>")[:995]})


def references(ticket: Ticket, before: Reply | None = None) -> list[str]:
    """Return the Message-IDs of the opening and of the latest public messages `before` a reply, oldest first."""
    earlier = MessageId.objects.filter(ticket=ticket, reply__is_internal=False)
    if before is not None:
        earlier = earlier.filter(reply__number__lt=before.number)
    latest = earlier.order_by("-reply__number").values_list("value", flat=True)[: MAX_REFERENCES - 1]
    return [message_id(ticket), *reversed(latest)]


def find_ticket(values: Iterable[str]) -> Ticket | None:
    """Return the ticket that the last known one of the Message-IDs belongs to, also if it is of a mail of ours."""
    for value in reversed([value.strip(" <>") for value in values]):
        received = MessageId.objects.select_related("ticket").filter(value=value).order_by("-pk").first()
        sent = OutgoingMail.objects.select_related("ticket").filter(message_id=value, digest_day=None).first()
        found = received or sent
        if found is not None:
            return found.ticket
    return None
