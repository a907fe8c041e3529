"""Template tags: mails that were not delivered, and senders that are not verified."""

from typing import Any
from uuid import UUID

from django import template

from mail import payloads
from mail.models import ReceivedMessage
from tickets.actors import Source
from tickets.models import Ticket

register = template.Library()
Mails = dict[UUID | None, list[dict[str, Any]]]


@register.simple_tag
def undelivered_mails(ticket: Ticket) -> Mails:
    """Return the mails of a ticket that were not delivered, by reply: one query for a page."""
    return payloads.undelivered_by_reply(ticket)


@register.filter
def about(mails: Mails | str, reply: dict[str, Any] | str | None) -> list[dict[str, Any]]:
    """Return those about the payload of a reply, or about the "opening"; none for the template that scripts fill."""
    if not isinstance(mails, dict) or reply is None:
        return []
    return mails.get(UUID(reply["id"]) if isinstance(reply, dict) else None, [])


@register.simple_tag
def sender_is_unverified(ticket: Ticket) -> bool:
    """Return whether a mail opened the ticket whose sender the mail server did not verify."""
    opening = ReceivedMessage.objects.filter(ticket=ticket, reply=None)
    return ticket.source == Source.MAIL and opening.filter(identity=ReceivedMessage.Identity.UNVERIFIED).exists()
