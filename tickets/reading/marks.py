"""Read marks: what a person has read of a ticket, and the event that their other tabs and devices follow."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from realtime import Audience, publish, publish_all
from tickets import policies
from tickets.models import ReadMark, Reply, Ticket
from tickets.reading.events import TicketRead, TicketReceiptsUpdated
from tickets.reading.messages import FROM_CUSTOMER
from tickets.signals import ticket_read

NOTHING = -1  # not even the ticket's first message


@dataclass(frozen=True)
class Reading:
    """What a person has read of a ticket."""

    # The last message that they have read; None for the ticket's first message, and if they have read nothing.
    last_read: Reply | None = None
    # The first later one that is not their own; None if there is none, and if they have read nothing.
    first_unread: Reply | None = None


def reading_of(user: User, ticket: Ticket) -> Reading:
    """Return what `user` has read of `ticket`."""
    number = _read_number(user, ticket)
    if number == NOTHING:
        return Reading()
    replies = policies.visible_replies(user, ticket).prefetch_related(None)
    last = replies.filter(number__lte=number).order_by("-number").first()
    unread = replies.filter(number__gt=number).exclude(author=user).order_by("number").first()
    return Reading(last, unread)


def has_read(user: User, reply: Reply) -> bool:
    """Return whether a message was on the screen of `user`."""
    return ReadMark.objects.filter(user=user, ticket=reply.ticket_id, number__gte=reply.number).exists()


@transaction.atomic
def mark_read(ticket: Ticket, *, by: User, up_to: Reply | None) -> bool:
    """Move the mark of `by` forward to a message that they may read, and over their own messages after it.

    None is the ticket's first message. Return whether the mark moved. The caller has checked that `by` may read both.
    """
    number = 0 if up_to is None else up_to.number
    replies = policies.visible_replies(by, ticket).prefetch_related(None)
    is_unread = replies.exclude(author=by).filter(number__gt=number).exists()
    if not is_unread:
        number = max(number, _last_number(by, ticket))
    ticket_read.send(Ticket, ticket=ticket, by=by, number=number)
    seen_before = _move(ticket, by, number, shown=True)
    if seen_before is None:
        return False
    last = replies.filter(number__lte=number).order_by("-number").first()
    read = TicketRead(ticket, by, last, is_unread=is_unread)
    publish_all([read, *_receipts(ticket, by, after=seen_before, up_to=number)])
    return True


def _move(ticket: Ticket, user: User, number: int, *, shown: bool) -> int | None:
    """Move the mark forward, with one write. Two pages may do it at the same time.

    `shown` is whether a page has shown the messages. Return the number of the last message that was seen before; None
    if the mark was there already.
    """
    now = timezone.now()
    first = [[number, now.isoformat()]] if shown else []
    marks = ReadMark.objects.select_for_update()
    mark, is_new = marks.get_or_create(user=user, ticket=ticket, defaults={"number": number, "moves": first})
    if is_new:
        return 0 if ticket.creator_id == user.pk else NOTHING
    if mark.number >= number:
        return None
    seen_before = mark.seen_number
    if shown:
        mark.record_move(number, now)
    mark.number, mark.seen_at = number, now
    mark.save(update_fields=["number", "seen_at", "moves"])
    return seen_before


def _receipts(ticket: Ticket, user: User, *, after: int, up_to: int) -> list[TicketReceiptsUpdated]:
    """Return the event for pages that show what `user` has now seen; customers receive it of their messages only."""
    if user.hides_read_marks or up_to <= after:
        return []
    audience = Audience.STAFF
    if not user.is_customer and user.pk != ticket.creator_id:
        asked = ticket.replies.filter(FROM_CUSTOMER, is_internal=False, number__gt=after, number__lte=up_to)
        audience = Audience.PUBLIC if after == NOTHING or asked.exists() else Audience.STAFF
    return [TicketReceiptsUpdated(ticket, audience)]


@transaction.atomic
def mark_unread(ticket: Ticket, *, by: User) -> None:
    """Move the mark of `by` back before the latest message of another person; without one, to the start."""
    replies = policies.visible_replies(by, ticket).prefetch_related(None).order_by("-number")
    latest = replies.exclude(author=by).values_list("number", flat=True).first()
    if latest is None and ticket.creator_id == by.pk:
        return
    number = NOTHING if latest is None else latest - 1
    mark = ReadMark.objects.select_for_update().filter(user=by, ticket=ticket).first()
    mark = mark or ReadMark(user=by, ticket=ticket, number=number)
    if not mark.moves and mark.number >= 0:
        mark.moves = [[mark.number, None]]
    mark.number, mark.seen_at = number, timezone.now()
    mark.save()
    last = replies.filter(number__lte=number).first()
    publish(TicketRead(ticket, by, last, is_unread=True))


def read_own(ticket: Ticket, *, by: User, number: int) -> None:
    """Move the mark over a message that `by` has just written, unless they have not read all before it."""
    read = _read_number(by, ticket)
    unread = policies.visible_replies(by, ticket).exclude(author=by).filter(number__gt=read, number__lt=number)
    if read == NOTHING or unread.exists():
        return
    _move(ticket, by, number, shown=False)


def _read_number(user: User, ticket: Ticket) -> int:
    """Return the number of the last message read. People have read what they wrote to open the ticket."""
    number = ReadMark.objects.filter(user=user, ticket=ticket).values_list("number", flat=True).first()
    if number is not None:
        return number
    return 0 if ticket.creator_id == user.pk else NOTHING


def _last_number(user: User, ticket: Ticket) -> int:
    audience = policies.audience_of(user, ticket) or Audience.PUBLIC
    return ticket.last_message(audience)
