"""The broadcast event of a read mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from realtime import Audience, Event, ForChannel
from tickets.models import Reply, Ticket


@dataclass(frozen=True)
class TicketRead(Event):
    """A person has read a ticket up to a message, or marked it unread. Only they receive it."""

    broadcast_as = "ticket.read"
    ticket: Ticket
    reader: User
    last_read: Reply | None
    is_unread: bool

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the reader's own channel."""
        return [ForChannel(self.reader.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version: there is one recipient."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay only while the reader may read the ticket."""
        return self.ticket.channel

    def broadcast_ordering_key(self) -> str:
        """Order the marks of one person on one ticket: the row of the mark is their lock."""
        return f"read {self.reader.pk} {self.ticket.uuid}"

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket, the last message read, and whether later ones are unread."""
        return {
            "ticket": {"uuid": str(self.ticket.uuid)},
            "last_read": None if self.last_read is None else {"id": str(self.last_read.pk)},
            "is_unread": self.is_unread,
        }


@dataclass(frozen=True)
class TicketReceiptsUpdated(Event):
    """What became of messages has changed: pages that show the ticket ask for it again."""

    broadcast_as = "ticket.receipts.updated"
    ticket: Ticket
    audience: Audience

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the ticket's channel: lists do not show it."""
        return [self.ticket.channel]

    def broadcast_to(self) -> Audience:
        """Broadcast to customers only what changes for them: they must not notice that staff read a note."""
        return self.audience

    def broadcast_guard(self) -> str:
        """Replay only to users who may still read the ticket."""
        return self.ticket.channel

    def broadcast_ordering_key(self) -> str:
        """Return none: the event says nothing that could be outdated."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket's UUID only."""
        return {"ticket": {"uuid": str(self.ticket.uuid)}}
