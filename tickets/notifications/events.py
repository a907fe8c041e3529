"""The broadcast events of notifications, on the channels of the people who have them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from realtime import Audience, Event, ForChannel
from tickets.notifications import payloads
from tickets.notifications.recipients import Notice


@dataclass(frozen=True)
class TicketNotified(Event):
    """People are notified of an event: one row of the log for all of them. It holds no text of a message."""

    broadcast_as = "ticket.notified"
    notice: Notice
    people: Sequence[User]

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channels of the people."""
        return [ForChannel(user.channel, self.broadcast_to()) for user in self.people]

    def broadcast_to(self) -> Audience:
        """Use the version that the kind is written for."""
        return payloads.audience_for(self.notice.kind)

    def broadcast_guard(self) -> str:
        """Replay only to people who may still read the ticket."""
        return self.notice.ticket.channel

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return what the toast shows."""
        notice = self.notice
        return payloads.notice_payload(notice.kind, notice.ticket, notice.reply, notice.actor, audience)


@dataclass(frozen=True)
class NotificationsRead(Event):
    """A person has read notifications, here or on another page: the bell asks for the number again."""

    broadcast_as = "notifications.read"
    user: User

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return their own channel."""
        return [ForChannel(self.user.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version: there is one recipient."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: it says nothing of a ticket."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return nothing."""
        return {}
