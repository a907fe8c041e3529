"""The verbs: each locks the ticket, checks the ability, writes, and sends one signal with its actor."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Office, User
from realtime.channels import Audience
from tickets import briefs, policies, signals
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Priority, Reply, Status, Ticket, new_reference
from tickets.signals import Change


@transaction.atomic
def open_ticket(*, by: User, subject: str, content: str, office: Office, priority: Priority | None = None) -> Ticket:
    """Open a ticket for `by` in `office`; without a priority, with the default one."""
    _require(policies.can_open_ticket(by, office), _("You cannot write to this office."))
    ticket = Ticket(
        reference=_unused_reference(),
        subject=_line(subject, "subject", MAX_SUBJECT),
        content=_text(content, "content", MAX_MESSAGE),
        creator=by,
        office=office,
        status=Status.default(),
        priority=priority or Priority.default(),
    )
    _record(ticket, Audience.PUBLIC)
    signals.ticket_created.send(Ticket, ticket=ticket, by=by)
    return ticket


@transaction.atomic
def add_reply(ticket: Ticket, *, by: User, message: str, internal: bool = False) -> Reply:
    """Add `by`'s reply or note to `ticket`; a customer's reply to a closed ticket opens it again."""
    # The lock comes first: it orders one ticket's log, and what is checked stays true until commit.
    ticket = _locked(ticket)
    _require(policies.can_reply(by, ticket), _("You cannot reply to this ticket."))
    if internal:
        _require(policies.can_write_note(by, ticket), _("Only staff of this ticket may write internal notes."))
    reply = Reply(ticket=ticket, author=by, message=_text(message, "message", MAX_MESSAGE), is_internal=internal)
    _record(ticket, reply.audience)
    reply.number = ticket.staff_seq
    reply.save()
    signals.reply_created.send(Reply, reply=reply, by=by)
    if ticket.status.is_closed and not policies.is_staff_of(by, ticket):
        _set_status(ticket, Status.default(), by)
    return reply


@transaction.atomic
def change_status(ticket: Ticket, *, by: User, status: Status) -> Ticket:
    """Set the status; the same status again changes nothing and tells nobody."""
    ticket = _locked_for_change(ticket, by)
    _set_status(ticket, status, by)
    return ticket


def change_priority(ticket: Ticket, *, by: User, priority: Priority) -> Ticket:
    """Set the priority."""
    return _change(ticket, "priority", priority, by)


def assign(ticket: Ticket, *, by: User, to: User | None) -> Ticket:
    """Make `to`, an active agent or admin, the assignee; None takes the assignee off."""
    if to is not None and not policies.can_be_assigned(to):
        raise ValidationError({"assigned_to": _("Tickets are assigned to active agents and admins.")})
    return _change(ticket, "assigned_to", to, by)


def unassign(ticket: Ticket, *, by: User) -> Ticket:
    """Take the assignee off."""
    return assign(ticket, by=by, to=None)


def move(ticket: Ticket, *, by: User, office: Office) -> Ticket:
    """Move the ticket to another office; who worked on it only through the old one loses it."""
    return _change(ticket, "office", office, by)


def edit_subject(ticket: Ticket, *, by: User, subject: str) -> Ticket:
    """Set the subject, on one line."""
    return _change(ticket, "subject", _line(subject, "subject", MAX_SUBJECT), by)


@transaction.atomic
def _change(ticket: Ticket, field: str, after: Any, by: User) -> Ticket:
    """Set one field; the same value again changes nothing and tells nobody."""
    ticket = _locked_for_change(ticket, by)
    before = getattr(ticket, field)
    if before != after:
        setattr(ticket, field, after)
        change = Change(field, before, after)
        ticket.version += 1
        _record(ticket, briefs.audience_of_change(change))
        signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])
    return ticket


def _set_status(ticket: Ticket, after: Status, by: User) -> None:
    before = ticket.status
    if before != after:
        ticket.status = after
        ticket.version += 1
        _record(ticket, Audience.PUBLIC)
        signals.status_changed.send(Ticket, ticket=ticket, by=by, before=before, after=after)


def _record(ticket: Ticket, audience: Audience) -> None:
    """Save; move the time of the last change and the sequence, the customers' only for what they hear."""
    ticket.updated_at = timezone.now()
    ticket.staff_seq += 1
    if audience is Audience.PUBLIC:
        ticket.public_updated_at = ticket.updated_at
        ticket.public_seq += 1
    ticket.save()


def _locked(ticket: Ticket) -> Ticket:
    """Lock the ticket, then read it with what it points to: a join read while waiting would be out of date."""
    Ticket.objects.select_for_update().get(pk=ticket.pk)
    return Ticket.objects.select_related(*Ticket.RELATED).get(pk=ticket.pk)


def _locked_for_change(ticket: Ticket, by: User) -> Ticket:
    ticket = _locked(ticket)
    _require(policies.can_change(by, ticket), _("Only staff of this ticket may change it."))
    return ticket


def _require(allowed: bool, message: str) -> None:
    if not allowed:
        raise PermissionDenied(message)


def _text(value: str, field: str, most: int) -> str:
    """Return the text trimmed; empty, too long, or with NUL (which PostgreSQL refuses) is an error."""
    text = value.replace("\r\n", "\n").strip()
    if not text:
        raise ValidationError({field: _("Write something.")})
    if len(text) > most:
        raise ValidationError({field: _("This is longer than %(most)d characters.") % {"most": most}})
    if "\x00" in text:
        raise ValidationError({field: _("This contains a character that cannot be stored.")})
    return text


def _line(value: str, field: str, most: int) -> str:
    return _text(" ".join(value.split()), field, most)


def _unused_reference() -> str:
    reference = new_reference()
    while Ticket.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
