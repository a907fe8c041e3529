"""Messages that arrive while another one is being written: it is sent only once its author has seen them."""

from collections.abc import Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import ngettext

from accounts.models import User
from tickets import policies
from tickets.models import Reply, Ticket

MAX_SHOWN = 10


class UnseenMessages(ValidationError):
    """Others have added messages that the author of a new one has not seen."""

    code = "unseen_messages"

    def __init__(self, number: int) -> None:
        message = ngettext(
            "A new message arrived while you were writing. Read it, then send yours or change it.",
            "New messages arrived while you were writing. Read them, then send yours or change it.",
            number,
        )
        super().__init__(message, code=self.code)


def unseen_replies(user: User, ticket: Ticket, seen: UUID) -> QuerySet[Reply]:
    """Return the messages of others after `seen` that `user` may read, oldest first.

    `seen` is the id of a message, or the ticket's for the first one. After a message that has been deleted since, all
    count as unseen.
    """
    number = ticket.replies.filter(pk=seen).values_list("number", flat=True).first() or 0
    return policies.visible_replies(user, ticket).exclude(author=user).filter(number__gt=number).order_by("number")


def require_seen(user: User, ticket: Ticket, seen: UUID | None) -> None:
    """Raise UnseenMessages if others have added messages after `seen`; None skips the check.

    Call it with the ticket locked: no message comes between the check and the commit.
    """
    if seen is None:
        return
    number = unseen_replies(user, ticket, seen).count()
    if number:
        raise UnseenMessages(number)


def latest_of(replies: Sequence[Reply], ticket: Ticket) -> UUID:
    """Return the id of the last of `replies`, or the ticket's: what a page that ends with them names as seen."""
    return replies[-1].pk if replies else ticket.uuid


def latest_shown(user: User, ticket: Ticket) -> UUID:
    """Return the id of the latest message that `user` may read, or the ticket's."""
    return (
        policies.visible_replies(user, ticket).order_by("number").values_list("pk", flat=True).last() or ticket.uuid
    )
