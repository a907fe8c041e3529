"""Template tags: mails that were not delivered."""

from typing import Any
from uuid import UUID

from django import template

from mail import payloads
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
