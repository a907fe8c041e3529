"""What a notification says: an allow-list, without the text of any message."""

from typing import Any, Final

from accounts.models import User
from realtime import Audience
from realtime.broadcasting.events import iso
from tickets import payloads
from tickets.models import STAFF_KINDS, Notification, NotificationKind, Reply, Ticket

# The word in _notification_text.html for what several notifications of a ticket say as a number.
SUMMARIES: Final[dict[str, str]] = {
    NotificationKind.REPLY: "replies",
    NotificationKind.CUSTOMER_REPLY: "replies",
    NotificationKind.NOTE: "notes",
}


def audience_for(kind: str) -> Audience:
    """Return the audience that a kind is written for: what customers are notified of says only what they may read."""
    return Audience.STAFF if kind in STAFF_KINDS else Audience.PUBLIC


def notice_payload(
    kind: str, ticket: Ticket, reply: Reply | None, actor: User | None, audience: Audience
) -> dict[str, Any]:
    """Return the kind, the ticket, the message and who did it. For a new ticket that is its customer."""
    person = ticket.creator if kind == NotificationKind.NEW_TICKET else actor
    url = ticket.get_absolute_url()
    return {
        "kind": str(kind),
        "ticket": {
            "uuid": str(ticket.uuid),
            "url": url,
            "reference": ticket.reference,
            "subject": ticket.subject,
            "creator": {"id": str(ticket.creator_id), "name": str(ticket.creator)},
        },
        "reply": None if reply is None else {"id": str(reply.pk)},
        "url": url if reply is None else f"{url}#reply-{reply.pk}",
        "by": None if person is None else payloads.user_payload(person, ticket, audience),
    }


def notification_payload(notification: Notification) -> dict[str, Any]:
    """Return a notification as its person may read it."""
    kind, ticket = notification.kind, notification.ticket
    said = notice_payload(kind, ticket, notification.reply, notification.actor, audience_for(kind))
    return {
        "id": str(notification.pk),
        **said,
        "created_at": iso(notification.created_at),
        "is_read": notification.read_at is not None,
    }
