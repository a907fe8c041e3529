"""Parameters of requests for pages."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.types import AuthenticatedRequest
from tickets import policies
from tickets.models import Ticket

MAX_TICKETS = 50  # that a list asks about at once


def named_tickets(request: HttpRequest) -> list[UUID]:
    """Return the UUIDs in the parameters `ticket`, without what is none."""
    values = request.GET.getlist("ticket")[:MAX_TICKETS]
    return [uuid for uuid in map(to_uuid, values) if uuid is not None]


def to_uuid(text: str) -> UUID | None:
    """Return the UUID that `text` is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def visible_ticket(request: AuthenticatedRequest, uuid: UUID) -> Ticket:
    """Return a ticket that the user sees; 404 for others."""
    return get_object_or_404(policies.visible_tickets(request.user).select_related(*Ticket.RELATED), uuid=uuid)


def changeable_ticket(request: AuthenticatedRequest, uuid: UUID) -> Ticket:
    """Return a ticket that the user may change: 404 for one that they do not see, 403 for others."""
    ticket = visible_ticket(request, uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied
    return ticket
