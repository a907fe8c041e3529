"""Receivers that write the timeline, in the transaction of the service that sends the signal."""

from collections.abc import Sequence
from typing import Any

from django.db.models.signals import pre_save
from django.dispatch import receiver

from accounts.models import Office, User
from realtime import Audience
from tickets import payloads
from tickets.actors import Actor, System
from tickets.models import Reply, Status, Ticket, TimelineEntry
from tickets.signals import (
    Change,
    reply_created,
    reply_deleted,
    reply_edited,
    status_changed,
    ticket_created,
    ticket_updated,
    tickets_handed_over,
    visibility_changed,
)

Action = TimelineEntry.Action


@receiver(ticket_created)
def record_creation(ticket: Ticket, by: Actor, **_: Any) -> None:
    _add_entry(ticket, by, Action.CREATED, Audience.PUBLIC, source=ticket.source)


@receiver(ticket_updated)
def record_changes(ticket: Ticket, by: Actor, changes: Sequence[Change], **_: Any) -> None:
    for change in changes:
        _add_entry(ticket, by, Action(change.field), payloads.audience_of_change(change, ticket), change)


@receiver(status_changed)
def record_status(ticket: Ticket, by: Actor, before: Status, after: Status, **_: Any) -> None:
    _add_entry(ticket, by, Action.STATUS, Audience.PUBLIC, Change("status", before, after))


@receiver(reply_created)
def record_reply(reply: Reply, by: Actor, **_: Any) -> None:
    _add_entry(
        reply.ticket, by, Action.NOTED if reply.is_internal else Action.REPLIED, reply.audience, source=reply.source
    )


@receiver(reply_edited)
def record_edit(reply: Reply, by: Actor, **_: Any) -> None:
    _add_entry(reply.ticket, by, Action.EDITED, reply.audience)


@receiver(reply_deleted)
def record_deletion(reply: Reply, by: Actor, **_: Any) -> None:
    _add_entry(reply.ticket, by, Action.DELETED, reply.audience)


@receiver(visibility_changed)
def record_visibility(reply: Reply, by: Actor, **_: Any) -> None:
    """Record the change and the author; `payloads.timeline_payload` shows customers a new or a deleted reply."""
    action = Action.HIDDEN if reply.is_internal else Action.PUBLISHED
    _add_entry(reply.ticket, by, action, Audience.PUBLIC, from_user=reply.author)


@receiver(tickets_handed_over)
def record_handover(tickets: Sequence[Ticket], by: Actor, before: User, after: User | None, **_: Any) -> None:
    """Record the change of each ticket, with one query for many."""
    change = Change("assigned_to", before, after)
    TimelineEntry.objects.bulk_create(
        _entry(ticket, by, Action.ASSIGNED_TO, payloads.audience_of_change(change, ticket), change)
        for ticket in tickets
    )


@receiver(pre_save, sender=Office)
def follow_office_name(instance: Office, **_: Any) -> None:
    """Keep the office's current name in the entries that customers read, and none once it is internal."""
    before = Office.objects.filter(pk=instance.pk, is_internal=False).first()
    after = payloads.office_name(instance, Audience.PUBLIC)
    if before is None or before.name == after:
        return
    for end in ("from", "to"):
        for entry in TimelineEntry.objects.filter(action=Action.OFFICE, **{f"public__{end}": before.name}):
            entry.public = {**(entry.public or {}), end: after}
            entry.save(update_fields=["public"])


def _add_entry(
    ticket: Ticket, by: Actor, action: Action, audience: Audience, change: Change | None = None, **fields: Any
) -> None:
    _entry(ticket, by, action, audience, change, **fields).save()


def _entry(
    ticket: Ticket, by: Actor, action: Action, audience: Audience, change: Change | None = None, **fields: Any
) -> TimelineEntry:
    who = {"cause": by.cause} if isinstance(by, System) else {"actor": by}
    entry = TimelineEntry(ticket=ticket, action=action, audience=audience, **who, **fields)
    entry.number, entry.version = ticket.staff_seq, ticket.version
    if change is not None and entry.is_about_people:
        entry.from_user, entry.to_user = change.before, change.after
    # Names of users are not stored: how customers see them may change later.
    stored = None if entry.is_about_people else change
    values = {each: _values(stored, ticket, each) for each in Audience}
    entry.public = values[Audience.PUBLIC] if audience is Audience.PUBLIC else None
    entry.staff = values[Audience.STAFF]
    return entry


def _values(change: Change | None, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return {from, to} to store."""
    return {} if change is None else payloads.change_payload(change, ticket, audience)
