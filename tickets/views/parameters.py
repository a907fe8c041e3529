"""Parameters of requests for pages."""

from uuid import UUID

from django.http import HttpRequest

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
