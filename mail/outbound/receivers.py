"""Receivers that owe mails, in the transaction of the service that sends the signal."""

from typing import Any

from django.dispatch import receiver

from jobs.models import Job
from mail.models import OutgoingMail
from mail.outbound import recipients
from mail.outbound.deliveries import owe
from tickets.models import Reply, Ticket
from tickets.signals import person_erased, reply_created, ticket_created, visibility_changed

Event = OutgoingMail.Event


@receiver(ticket_created)
def owe_receipt(ticket: Ticket, **_: Any) -> None:
    owe(Event.RECEIPT, [ticket.creator], ticket=ticket)


@receiver(reply_created)
@receiver(visibility_changed)
def owe_reply(reply: Reply, **_: Any) -> None:
    """Owe a new reply, also one that was a note so far."""
    if not reply.is_internal:
        owe(Event.REPLY, recipients.of_public_reply(reply), ticket=reply.ticket, reply=reply)


@receiver(person_erased)
def forget_mails(person: Any, **_: Any) -> None:
    """Delete what was owed to an erased person, also about deleted tickets: failures name their address."""
    OutgoingMail.objects.filter(recipient=person).delete()
    Job.objects.filter(key__endswith=f" {person.pk}").delete()
