"""Whether the recipient of a mail may still receive it. Who is owed one: `tickets/notifications/recipients.py`."""

from django.db.models import Q, QuerySet

from accounts.models import User
from mail.models import OutgoingMail
from realtime import Audience
from tickets import policies, reading
from tickets.models import Notification, NotificationKind, ReadMark, Ticket
from tickets.notifications import payloads


def readers(ticket: Ticket) -> QuerySet[User]:
    """Return at least the users who may read `ticket`; `policies.audience_of` decides for each."""
    people = Q(pk__in=[user.pk for user in policies.people_of(ticket)])
    staff = Q(role=User.Role.ADMIN) | Q(offices=ticket.office_id)
    return User.objects.filter(people | staff, is_active=True).distinct()


def may_receive(mail: OutgoingMail) -> bool:
    """Return whether the recipient may read now what the mail is about, and it still concerns them."""
    audience = policies.audience_of(mail.recipient, mail.ticket)
    if audience is None or not audience.includes(audience_for(mail)):
        return False
    if mail.event == NotificationKind.ASSIGNED and mail.ticket.assigned_to_id != mail.recipient_id:
        return False
    if mail.event == NotificationKind.STATUS and not mail.ticket.status.is_closed:
        return False
    return mail.reply is None or audience_for(mail).includes(mail.reply.audience)


def has_seen(mail: OutgoingMail) -> bool:
    """Return whether what the mail is about was on a screen of its recipient."""
    if mail.reply is not None:
        return reading.has_read(mail.recipient, mail.reply)
    if mail.event != NotificationKind.NEW_TICKET:  # the page of the ticket was known before: did it show this?
        notices = Notification.objects.filter(user=mail.recipient, occurrence=mail.occurrence)
        return notices.exclude(read_at=None).exists()
    return ReadMark.objects.filter(user=mail.recipient, ticket=mail.ticket).exists()


def audience_for(mail: OutgoingMail) -> Audience:
    """Return the audience that a mail is written for: mails to customers say only what customers may read."""
    return payloads.audience_for(mail.event)
