"""Signals become the timeline's lines, and what listeners are told; all inside the verb's transaction."""

from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from accounts.models import User
from realtime.channels import Audience
from realtime.events import publish, recheck
from tickets import briefs, policies
from tickets.events import (
    TicketCreated,
    TicketReplyCreated,
    TicketStatusChanged,
    TicketUpdated,
    TicketWithdrawn,
)
from tickets.models import Reply, Status, Ticket, TimelineEntry
from tickets.signals import Change, reply_created, status_changed, ticket_created, ticket_updated

Action = TimelineEntry.Action


@receiver(ticket_created)
def record_creation(ticket: Ticket, by: User, **_: Any) -> None:
    """Write the first line."""
    _write_line(ticket, by, Action.CREATED, Audience.PUBLIC)


@receiver(ticket_updated)
def record_changes(ticket: Ticket, by: User, changes: Sequence[Change], **_: Any) -> None:
    """Write a line for each field."""
    for change in changes:
        _write_line(ticket, by, Action(change.field), briefs.audience_of_change(change), change)


@receiver(status_changed)
def record_status(ticket: Ticket, by: User, before: Status, after: Status, **_: Any) -> None:
    """Write from where to where."""
    _write_line(ticket, by, Action.STATUS, Audience.PUBLIC, Change("status", before, after))


@receiver(reply_created)
def record_reply(reply: Reply, by: User, **_: Any) -> None:
    """Write that someone answered; that there is a note only staff learn."""
    _write_line(reply.ticket, by, Action.NOTED if reply.is_internal else Action.REPLIED, reply.audience)


@receiver(ticket_created)
def tell_creation(ticket: Ticket, by: User, **_: Any) -> None:
    """Tell the office and the creator."""
    publish(TicketCreated(ticket, by))


@receiver(ticket_updated)
def tell_changes(ticket: Ticket, by: User, changes: Sequence[Change], **_: Any) -> None:
    """Ask the rules again first, so that who has lost the ticket hears that and nothing more."""
    if any(change.field in ("office", "assigned_to") for change in changes):
        recheck(channels=[ticket.channel])
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


def _tell_loser(ticket: Ticket, change: Change) -> None:
    loser = change.before
    if isinstance(loser, User) and policies.audience_of(loser, ticket) is not None:
        return
    if change.field in ("office", "assigned_to") and loser is not None:
        publish(TicketWithdrawn(ticket, loser))


def _write_line(ticket: Ticket, by: User, action: Action, audience: Audience, change: Change | None = None) -> None:
    words = {each: briefs.change_brief(change, each) if change else {} for each in Audience}
    public = words[Audience.PUBLIC] if audience is Audience.PUBLIC else None
    ticket.timeline.create(
        actor=by,
        action=action,
        audience=audience,
        public=public,
        staff=words[Audience.STAFF],
        number=ticket.staff_seq,
    )
