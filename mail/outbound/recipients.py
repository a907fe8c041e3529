"""Who is owed which mail, and whether they may still receive it."""

from django.db.models import Q, QuerySet

from accounts.models import User
from mail.models import OutgoingMail
from realtime import Audience
from tickets import policies
from tickets.models import Reply, Ticket

Event = OutgoingMail.Event


def readers(ticket: Ticket) -> QuerySet[User]:
    """Return at least the users who may read `ticket`; `policies.audience_of` decides for each."""
    people = Q(pk__in=[pk for pk in (ticket.creator_id, ticket.assigned_to_id) if pk is not None])
    staff = Q(role=User.Role.ADMIN) | Q(offices=ticket.office_id)
    return User.objects.filter(people | staff, is_active=True).distinct()


def of_public_reply(reply: Reply) -> list[User]:
    """Return who has a public reply sent: the customer, unless they wrote it."""
    return [user for user in (reply.ticket.creator,) if user.pk != reply.author_id]


def may_receive(mail: OutgoingMail) -> bool:
    """Return whether the recipient may read now what the mail is about."""
    audience = policies.audience_of(mail.recipient, mail.ticket)
    if audience is None or not audience.includes(audience_for(mail)):
        return False
    return mail.reply is None or audience_for(mail).includes(mail.reply.audience)


def audience_for(mail: OutgoingMail) -> Audience:
    """Return the audience that a mail is written for: mails to customers say only what customers may read."""
    return Audience.PUBLIC
