"""Receivers that publish broadcast events, in the transaction of the service that sends the signal."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.models import Office, User
from realtime import Audience, Event, publish, publish_all, reauthorize
from realtime.broadcasting import event_log
from tickets import policies
from tickets.actors import Actor
from tickets.events import (
    CustomerNotesUpdated,
    ReplyHidden,
    ReplyPublished,
    TagChanged,
    TicketCreated,
    TicketReplyCreated,
    TicketReplyDeleted,
    TicketReplyEdited,
    TicketReplyUpdated,
    TicketStatusChanged,
    TicketUpdated,
    TicketWithdrawn,
    ViewChanged,
)
from tickets.models import CustomerNote, Reply, SavedView, Status, Tag, Ticket, customer_channel, participants_of
from tickets.signals import (
    Change,
    reply_created,
    reply_deleted,
    reply_edited,
    status_changed,
    tag_changed,
    ticket_created,
    ticket_deleted,
    ticket_updated,
    tickets_handed_over,
    view_changed,
    visibility_changed,
)


@receiver(ticket_created)
def broadcast_creation(ticket: Ticket, by: Actor, **_: Any) -> None:
    publish(TicketCreated(ticket, by))


@receiver(ticket_updated)
def broadcast_changes(ticket: Ticket, by: Actor, changes: Sequence[Change], **_: Any) -> None:
    """Revoke access before publishing, so that users who lost the ticket receive the withdrawal and nothing more."""
    access_changes = [change for change in changes if change.field in Ticket.ACCESS_CHANGES]
    if access_changes:
        reauthorize(channels=_channels(ticket, *(change.before for change in access_changes)))
        for change in access_changes:
            _broadcast_withdrawal(ticket, change.before)
    publish(TicketUpdated(ticket, by, changes))


@receiver(status_changed)
def broadcast_status(ticket: Ticket, by: Actor, before: Status, after: Status, **_: Any) -> None:
    publish(TicketStatusChanged(ticket, by, before, after))


@receiver(reply_created)
def broadcast_reply(reply: Reply, **_: Any) -> None:
    publish(TicketReplyCreated(reply))


@receiver(reply_edited)
def broadcast_edit(reply: Reply, by: Actor, **_: Any) -> None:
    """Remove the previous text from the log, then publish the new one."""
    _redact_message(reply, by)
    publish(TicketReplyEdited(reply))


@receiver(reply_deleted)
def broadcast_deletion(reply: Reply, by: Actor, **_: Any) -> None:
    """Publish the deletion, and remove the message from the log."""
    _redact_message(reply, by)
    publish(TicketReplyDeleted(reply, by))


@receiver(visibility_changed)
def broadcast_visibility(reply: Reply, by: Actor, **_: Any) -> None:
    """Publish the change to staff, and to customers a new or a deleted reply."""
    if reply.is_internal:
        _redact(TicketReplyCreated(reply), versions=[Audience.PUBLIC])
        _redact(TicketReplyEdited(reply), versions=[Audience.PUBLIC])
        publish(ReplyHidden(reply, by))
    else:
        publish(ReplyPublished(reply))
    publish(TicketReplyUpdated(reply, by))


@receiver(ticket_deleted)
def withdraw(ticket: Ticket, **_: Any) -> None:
    """End every subscription, then publish the withdrawal to the office and the people of the ticket."""
    event_log.redact(ticket.channel)
    reauthorize(channels=_channels(ticket))
    losers: list[Office | User] = [ticket.office, *policies.people_of(ticket)]
    for loser in losers:
        publish(TicketWithdrawn(ticket, loser))


@receiver(tickets_handed_over)
def broadcast_handover(tickets: Sequence[Ticket], by: Actor, before: User, after: User | None, **_: Any) -> None:
    """Revoke the access to all tickets, then publish a withdrawal and the change of each."""
    reauthorize(channels=[channel for ticket in tickets for channel in _channels(ticket)])
    readable = policies.visible_tickets(before).filter(pk__in=[ticket.pk for ticket in tickets])
    kept = set(readable.values_list("pk", flat=True))
    events: list[Event] = []
    for ticket in tickets:
        if ticket.pk not in kept:
            events.append(TicketWithdrawn(ticket, before))
        events.append(TicketUpdated(ticket, by, [Change("assigned_to", before, after)]))
    publish_all(events)


@receiver([post_save, post_delete], sender=CustomerNote)
def broadcast_customer_notes(instance: CustomerNote, **_: Any) -> None:
    publish(CustomerNotesUpdated(instance))


@receiver(tag_changed)
def broadcast_tag(tag: Tag, replacement: Tag | None, **_: Any) -> None:
    publish(TagChanged(tag, replacement))


@receiver(view_changed)
def broadcast_view(view: SavedView, current: SavedView | None, **_: Any) -> None:
    publish(ViewChanged(view, current))


def _channels(ticket: Ticket, *others: Any) -> list[str]:
    """Return the channels of a ticket, and those of the notes about its people, which its staff read."""
    people = [ticket.creator, *(each.user for each in participants_of(ticket)), *others]
    keys = {person.pk for person in people if isinstance(person, User) and person.is_customer}
    return [*ticket.channels, *(customer_channel(key) for key in sorted(keys))]


def _redact_message(reply: Reply, by: Actor) -> None:
    """Remove a message from all logged events, for all audiences."""
    for event in (TicketReplyCreated(reply), TicketReplyUpdated(reply, by), TicketReplyEdited(reply)):
        _redact(event)


def _redact(event: TicketReplyCreated, versions: Iterable[Audience] = Audience) -> None:
    """Remove the message from the logged events named like `event`; the rows stay, so that `seq` has no gap."""
    event_log.redact(
        event.ticket.channel,
        event=event.broadcast_as,
        containing=str(event.reply.pk),
        keep=event.redacted,
        versions=versions,
    )


def _broadcast_withdrawal(ticket: Ticket, loser: Office | User | None) -> None:
    """Publish the withdrawal to who was there before, unless that user may still read the ticket."""
    if isinstance(loser, User) and policies.audience_of(loser, ticket) is not None:
        return
    if loser is not None:
        publish(TicketWithdrawn(ticket, loser))
