"""The ticket whose reference or page address is typed in the search field."""

import re
from contextlib import suppress
from uuid import UUID

from accounts.models import User
from tickets import policies
from tickets.models import Ticket

_REFERENCE = re.compile(r"([0-9A-Z]{3})[-\s]?([0-9A-Z]{4})")
_AROUND = " #[](){}<>\"'.,:;"  # around a pasted reference
_PAGE = re.compile(r"/tickets/([0-9a-f-]{36})/?(?:[?#]\S*)?$", re.IGNORECASE)


def named_ticket(typed: str, *, user: User) -> Ticket | None:
    """Return the ticket that `typed` names alone, in any case and with or without the dash, if `user` may open it."""
    tickets = policies.visible_tickets(user).only("uuid")
    if page := _PAGE.search(typed.strip()):
        with suppress(ValueError):
            return tickets.filter(uuid=UUID(page[1])).first()
    reference = _REFERENCE.fullmatch(typed.strip(_AROUND).upper())
    return tickets.filter(reference="-".join(reference.groups())).first() if reference else None
