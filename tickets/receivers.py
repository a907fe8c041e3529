"""Signals become the timeline's lines, and what listeners are told; all inside the verb's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, pre_save
from django.dispatch import receiver

from accounts.models import Office, User
from realtime.broadcasting import event_log
from realtime.broadcasting.events import publish, reauthorize
from realtime.channels import Audience
from tickets import briefs, policies
from tickets.events import (
    TicketCreated,
    TicketReplyAppeared,
    TicketReplyCreated,
    TicketReplyDeleted,
    TicketReplyUpdated,
    TicketReplyVanished,
    TicketStatusChanged,
    TicketUpdated,
    TicketWithdrawn,
)
from tickets.models import Attachment, Reply, Status, Ticket, TimelineEntry
from tickets.signals import (
    Change,
    reply_created,
    reply_deleted,
    status_changed,
    ticket_created,
    ticket_deleted,
    ticket_updated,
    visibility_changed,
)

Action = TimelineEntry.Action


@receiver(ticket_created)
def record_creation(ticket: Ticket, by: User, **_: Any) -> None:
    """Write the first line."""
    _write_line(ticket, by, Action.CREATED, Audience.PUBLIC)


@receiver(ticket_updated)
def record_changes(ticket: Ticket, by: User, changes: Sequence[Change], **_: Any) -> None:
    """Write a line for each field."""
    for change in changes:
        _write_line(ticket, by, Action(change.field), briefs.audience_of_change(change, ticket), change)


@receiver(status_changed)
def record_status(ticket: Ticket, by: User, before: Status, after: Status, **_: Any) -> None:
    """Write from where to where."""
    _write_line(ticket, by, Action.STATUS, Audience.PUBLIC, Change("status", before, after))


@receiver(reply_created)
def record_reply(reply: Reply, by: User, **_: Any) -> None:
    """Write that someone answered; that there is a note only staff learn."""
    _write_line(reply.ticket, by, Action.NOTED if reply.is_internal else Action.REPLIED, reply.audience)


@receiver(reply_deleted)
def record_deletion(reply: Reply, by: User, **_: Any) -> None:
    """Write that a message was deleted; that there was a note only staff learn."""
    _write_line(reply.ticket, by, Action.DELETED, reply.audience)


@receiver(visibility_changed)
def record_visibility(reply: Reply, by: User, **_: Any) -> None:
    """Write who turned whose message; customers read of a reply that came or went: see `briefs.timeline_brief`."""
    action = Action.HIDDEN if reply.is_internal else Action.PUBLISHED
    _write_line(reply.ticket, by, action, Audience.PUBLIC, from_person=reply.author)


@receiver(ticket_created)
def tell_creation(ticket: Ticket, by: User, **_: Any) -> None:
    """Tell the office and the creator."""
    publish(TicketCreated(ticket, by))


@receiver(ticket_updated)
def tell_changes(ticket: Ticket, by: User, changes: Sequence[Change], **_: Any) -> None:
    """Ask the rules again first, so that who has lost the ticket hears that and nothing more."""
    if any(change.field in ("office", "assigned_to") for change in changes):
        reauthorize(channels=[ticket.channel, ticket.presence_channel])
        for change in changes:
            _tell_loser(ticket, change)
    publish(TicketUpdated(ticket, by, changes))


@receiver(status_changed)
def tell_status(ticket: Ticket, by: User, before: Status, after: Status, **_: Any) -> None:
    """Tell everybody whom it concerns."""
    publish(TicketStatusChanged(ticket, by, before, after))


@receiver(reply_created)
def tell_reply(reply: Reply, **_: Any) -> None:
    """Tell everybody whom it concerns; a note only staff."""
    publish(TicketReplyCreated(reply))


@receiver(reply_deleted)
def tell_deletion(reply: Reply, by: User, **_: Any) -> None:
    """Tell who could read it; the log keeps nothing of what it said."""
    _forget(TicketReplyCreated(reply))
    _forget(TicketReplyUpdated(reply, by))
    publish(TicketReplyDeleted(reply, by))


@receiver(visibility_changed)
def tell_visibility(reply: Reply, by: User, **_: Any) -> None:
    """Tell staff that it is turned; to customers a reply comes, or goes and leaves no word in their log."""
    if reply.is_internal:
        _forget(TicketReplyCreated(reply), versions=[Audience.PUBLIC])
        publish(TicketReplyVanished(reply, by))
    else:
        publish(TicketReplyAppeared(reply))
    publish(TicketReplyUpdated(reply, by))


@receiver(ticket_deleted)
def withdraw(ticket: Ticket, **_: Any) -> None:
    """End every subscription, then tell the office, the creator and the assignee that the ticket is gone."""
    event_log.forget(ticket.channel)
    reauthorize(channels=[ticket.channel, ticket.presence_channel])
    people = {person.pk: person for person in (ticket.creator, ticket.assigned_to) if person is not None}
    losers: list[Office | User] = [ticket.office, *people.values()]
    for loser in losers:
        publish(TicketWithdrawn(ticket, loser))


@receiver(pre_save, sender=Office)
def take_name_off_lines(instance: Office, **_: Any) -> None:
    """Customers never see an internal office, not even in lines from before it was one."""
    public = Office.objects.filter(pk=instance.pk, is_internal=False).first() if instance.is_internal else None
    if public is not None:
        for end in ("from", "to"):
            for line in TimelineEntry.objects.filter(action=Action.OFFICE, **{f"public__{end}": public.name}):
                line.public = {**(line.public or {}), end: None}
                line.save(update_fields=["public"])


@receiver(post_delete, sender=Attachment)
def remove_file(instance: Attachment, **_: Any) -> None:
    """Remove a deleted attachment's file, once it is certain that the deletion stands."""
    name, storage = str(instance.file.name), instance.file.storage
    transaction.on_commit(lambda: storage.delete(name))


def _forget(told: TicketReplyCreated, versions: Iterable[Audience] = Audience) -> None:
    """Leave in the log that there was a reply, so that no sequence has a gap, and nothing of what it said."""
    reply, event = told.reply, told.broadcast_as
    event_log.forget(
        reply.ticket.channel, event=event, containing=str(reply.pk), keep=told.emptied, versions=versions
    )


def _tell_loser(ticket: Ticket, change: Change) -> None:
    loser = change.before
    if isinstance(loser, User) and policies.audience_of(loser, ticket) is not None:
        return
    if change.field in ("office", "assigned_to") and loser is not None:
        publish(TicketWithdrawn(ticket, loser))


def _write_line(
    ticket: Ticket, by: User, action: Action, audience: Audience, change: Change | None = None, **people: User
) -> None:
    line = TimelineEntry(ticket=ticket, actor=by, action=action, audience=audience, **people)
    line.number, line.version = ticket.staff_seq, ticket.version
    if change is not None and change.field == "assigned_to":
        line.from_person, line.to_person = change.before, change.after
    words = {each: _words(change, ticket, each) for each in Audience}
    line.public = words[Audience.PUBLIC] if audience is Audience.PUBLIC else None
    line.staff = words[Audience.STAFF]
    line.save()


def _words(change: Change | None, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return what is written down of a change; names of people are not, since customers may see others later."""
    if change is None or change.field == "assigned_to":
        return {}
    return briefs.change_brief(change, ticket, audience)
