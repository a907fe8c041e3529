"""Who may read received mails as they came. Who may read a ticket: `tickets.policies`."""

from django.db.models import QuerySet

from accounts.models import User
from mail.models import ReceivedMessage
from tickets import policies
from tickets.actors import Source
from tickets.models import Reply, Ticket


def visible_mails(user: User, ticket: Ticket) -> QuerySet[ReceivedMessage]:
    """Return the mails received for `ticket` that `user` may read with their headers: none but for its staff."""
    if not policies.is_staff_of(user, ticket):
        return ReceivedMessage.objects.none()
    return ReceivedMessage.objects.filter(ticket=ticket)


def mail_of_opening(user: User, ticket: Ticket) -> ReceivedMessage | None:
    """Return the mail that opened `ticket`, if `user` may read it."""
    if ticket.source != Source.MAIL:
        return None
    # Later ones without a reply are those of deleted replies.
    return visible_mails(user, ticket).filter(reply=None).order_by("received_at").first()


def mail_of_reply(user: User, reply: Reply) -> ReceivedMessage | None:
    """Return the mail that became `reply`, if `user` may read it."""
    return visible_mails(user, reply.ticket).filter(reply=reply).first()
