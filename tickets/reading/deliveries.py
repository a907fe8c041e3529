"""Delivery marks: how far messages have reached a page of a customer."""

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from realtime import Audience, publish
from tickets import policies
from tickets.models import DeliveryMark, ReadMark, Reply
from tickets.reading.events import TicketReceiptsUpdated


@transaction.atomic
def mark_delivered(reply: Reply, *, by: User) -> bool:
    """Record that a page of `by` has received a message; return whether that was not known.

    Nothing is recorded of staff, of those who hide that they are online or have read, and of messages that were seen.
    The caller has checked that `by` may read the message.
    """
    ticket = reply.ticket
    hides = by.hides_online or by.hides_read_marks
    if hides or reply.author_id == by.pk or policies.audience_of(by, ticket) is not Audience.PUBLIC:
        return False
    if ReadMark.objects.filter(user=by, ticket=ticket, number__gte=reply.number).exists():
        return False
    if not _move(reply, by):
        return False
    publish(TicketReceiptsUpdated(ticket, Audience.STAFF))
    return True


def _move(reply: Reply, user: User) -> bool:
    """Move the mark forward; False if it was there before. Two pages may do it at the same time."""
    marks = DeliveryMark.objects.select_for_update()
    mark, is_new = marks.get_or_create(user=user, ticket=reply.ticket, defaults={"number": reply.number})
    if is_new:
        return True
    if mark.number >= reply.number:
        return False
    mark.number, mark.delivered_at = reply.number, timezone.now()
    mark.save()
    return True
