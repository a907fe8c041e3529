"""What every service does: lock the ticket, check permission, and save it with its sequences."""

from django.core.exceptions import PermissionDenied

from realtime import Audience
from tickets.models import Ticket


def lock(ticket: Ticket) -> Ticket:
    """Lock the ticket, then read it with its relations: a join read while waiting for the lock would be stale."""
    Ticket.objects.select_for_update().only("pk").get(pk=ticket.pk)
    return Ticket.objects.select_related(*Ticket.RELATED).defer(*Ticket.MESSAGE_FIELDS).get(pk=ticket.pk)


def require(allowed: bool, message: str) -> None:
    """Raise PermissionDenied with the message, unless it is allowed."""
    if not allowed:
        raise PermissionDenied(message)


def save_with_sequence(ticket: Ticket, audience: Audience) -> None:
    """Save a locked ticket that changed for `audience`."""
    ticket.advance(audience)
    ticket.save()
