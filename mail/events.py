"""The broadcast event of mails about tickets."""

from dataclasses import dataclass
from typing import Any

from mail import payloads
from realtime import Audience
from tickets.events import TicketEvent
from tickets.models import Reply, Ticket


@dataclass(frozen=True)
class TicketMailUpdated(TicketEvent):
    """A mail about a reply, or about the opening of a ticket, was not delivered, or is sent again."""

    broadcast_as = "ticket.mail.updated"
    ticket: Ticket
    reply: Reply | None

    def broadcast_to(self) -> Audience:
        """Broadcast to staff only."""
        return Audience.STAFF

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return all mails about that message that were not delivered."""
        reply_id = None if self.reply is None else str(self.reply.pk)
        return {"mails": {"reply_id": reply_id, "undelivered": payloads.undelivered(self.ticket, reply=self.reply)}}
