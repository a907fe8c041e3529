"""Receivers that decide who is notified of a change, in the transaction of the service that sends the signal."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.dispatch import receiver

from tickets.actors import Actor
from tickets.models import Reply, Status, Ticket
from tickets.notifications import recipients, records
from tickets.notifications.recipients import Notice
from tickets.signals import (
    Change,
    people_notified,
    reply_created,
    reply_deleted,
    status_changed,
    ticket_created,
    ticket_updated,
    visibility_changed,
)


@receiver(ticket_created)
def notify_of_ticket(ticket: Ticket, by: Actor, **_: Any) -> None:
    _send(recipients.of_new_ticket(ticket, by))


@receiver(reply_created)
def notify_of_message(reply: Reply, by: Actor, **_: Any) -> None:
    _send(recipients.of_message(reply, by))


@receiver(visibility_changed)
def notify_of_visibility(reply: Reply, by: Actor, **_: Any) -> None:
    records.withdraw(reply)
    _send(recipients.of_message(reply, by))


@receiver(reply_deleted)
def withdraw_message(reply: Reply, **_: Any) -> None:
    records.withdraw(reply)


@receiver(ticket_updated)
def notify_of_changes(ticket: Ticket, by: Actor, changes: Sequence[Change], **_: Any) -> None:
    _send(recipients.of_changes(ticket, by, changes))


@receiver(status_changed)
def notify_of_status(ticket: Ticket, by: Actor, after: Status, **_: Any) -> None:
    _send(recipients.of_status(ticket, by, after))


def _send(notices: Iterable[Notice]) -> None:
    """Send `people_notified` for each notice: the app and mail receive it."""
    for notice in notices:
        if notice.people:
            people_notified.send(Notice, notice=notice)
