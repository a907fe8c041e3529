"""Receivers that owe mails, in the transaction of the service that sends the signal."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.dispatch import receiver

from accounts.models import DeskSettings, User
from jobs.models import Job
from mail.models import MailPreference, OutgoingMail
from mail.outbound import recipients
from mail.outbound.deliveries import owe
from tickets.models import Reply, Status, Ticket
from tickets.signals import (
    Change,
    person_erased,
    reply_created,
    status_changed,
    ticket_created,
    ticket_updated,
    visibility_changed,
)

Event = OutgoingMail.Event


@receiver(ticket_created)
def owe_new_ticket(ticket: Ticket, by: Any, **_: Any) -> None:
    """Owe the customer a receipt, and the agents of the office a notice."""
    owe(Event.RECEIPT, [ticket.creator], ticket=ticket)
    owe(Event.NEW_TICKET, _others(recipients.agents_of(ticket), by), ticket=ticket)


@receiver(reply_created)
@receiver(visibility_changed)
def owe_reply(reply: Reply, **_: Any) -> None:
    """Owe a new message, also a reply that was a note so far: one mail to each person."""
    ticket = reply.ticket
    if not reply.is_internal:
        owe(Event.REPLY, recipients.of_public_reply(reply), ticket=ticket, reply=reply)
    if not reply.visibility_changed:
        event = Event.NOTE if reply.is_internal else Event.CUSTOMER_REPLY
        owe(event, recipients.staff_of_message(reply), ticket=ticket, reply=reply)


@receiver(ticket_updated)
def owe_assignment(ticket: Ticket, by: Any, changes: Sequence[Change], **_: Any) -> None:
    """Owe a new assignee a notice, and the agents of an office to which an unassigned ticket was moved."""
    for change in changes:
        if change.field == "assigned_to" and change.after is not None:
            owe(Event.ASSIGNED, _others([change.after], by), ticket=ticket, version=ticket.version)
        if change.field == "office" and ticket.assigned_to_id is None:
            owe(Event.NEW_TICKET, _others(recipients.agents_of(ticket), by), ticket=ticket, version=ticket.version)


@receiver(status_changed)
def owe_status(ticket: Ticket, by: Any, after: Status, **_: Any) -> None:
    """Owe the customer a notice that the ticket was closed, if the site sends one."""
    if after.is_closed and DeskSettings.current().mails_closing:
        owe(Event.STATUS, _others([ticket.creator], by), ticket=ticket, version=ticket.version)


def _others(users: Iterable[User], by: Any) -> list[User]:
    """Return the users except the actor, who may be the system."""
    return [user for user in users if user.pk != getattr(by, "pk", None)]


@receiver(person_erased)
def forget_mails(person: Any, **_: Any) -> None:
    """Delete what was owed to an erased person, also about deleted tickets: failures name their address."""
    OutgoingMail.objects.filter(recipient=person).delete()
    MailPreference.objects.filter(user=person).delete()
    Job.objects.filter(key__endswith=f" {person.pk}").delete()
