"""Who is owed which mail, and whether they may still receive it."""

from django.db.models import Q, QuerySet

from accounts.models import User
from mail.models import OutgoingMail
from realtime import Audience
from tickets import policies, reading
from tickets.models import ReadMark, Reply, Ticket

Event = OutgoingMail.Event


def readers(ticket: Ticket) -> QuerySet[User]:
    """Return at least the users who may read `ticket`; `policies.audience_of` decides for each."""
    people = Q(pk__in=[pk for pk in (ticket.creator_id, ticket.assigned_to_id) if pk is not None])
    staff = Q(role=User.Role.ADMIN) | Q(offices=ticket.office_id)
    return User.objects.filter(people | staff, is_active=True).distinct()


def of_public_reply(reply: Reply) -> list[User]:
    """Return who has a public reply sent as people of the ticket: the customer, unless they wrote it."""
    return [user for user in (reply.ticket.creator,) if user.pk != reply.author_id]


def staff_of_message(reply: Reply) -> list[User]:
    """Return who of the staff has a note, or a message of the customer, sent: the assignee, or else the office.

    Not the author, not the people who receive it as a reply to their own ticket, and of a note the assignee only.
    """
    ticket = reply.ticket
    is_answer = not reply.is_internal and reply.author_id != ticket.creator_id
    if is_answer and policies.is_staff_of(reply.author, ticket):
        return []
    office = [] if reply.is_internal else agents_of(ticket)
    staff = office if ticket.assigned_to is None else [ticket.assigned_to]
    others = {reply.author_id, *(user.pk for user in of_public_reply(reply) if not reply.is_internal)}
    return [user for user in staff if user.pk not in others]


def agents_of(ticket: Ticket) -> list[User]:
    """Return the agents of the ticket's office, except its customer."""
    return list(ticket.office.agents.filter(is_active=True).exclude(pk=ticket.creator_id))


def may_receive(mail: OutgoingMail) -> bool:
    """Return whether the recipient may read now what the mail is about, and it still concerns them."""
    audience = policies.audience_of(mail.recipient, mail.ticket)
    if audience is None or not audience.includes(audience_for(mail)):
        return False
    if mail.event == Event.ASSIGNED and mail.ticket.assigned_to_id != mail.recipient_id:
        return False
    if mail.event == Event.STATUS and not mail.ticket.status.is_closed:
        return False
    return mail.reply is None or audience_for(mail).includes(mail.reply.audience)


def has_seen(mail: OutgoingMail) -> bool:
    """Return whether what the mail is about was on a screen of its recipient."""
    if mail.reply is not None:
        return reading.has_read(mail.recipient, mail.reply)
    return ReadMark.objects.filter(user=mail.recipient, ticket=mail.ticket).exists()


def audience_for(mail: OutgoingMail) -> Audience:
    """Return the audience that a mail is written for: mails to customers say only what customers may read."""
    return Audience.STAFF if mail.event in OutgoingMail.STAFF_EVENTS else Audience.PUBLIC
