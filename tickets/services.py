"""The verbs: each locks the ticket, checks the ability, writes, and sends one signal with its actor."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Office, User
from realtime.channels import Audience
from tickets import files, payloads, policies, signals
from tickets.models import (
    MAX_MESSAGE,
    MAX_SUBJECT,
    Attachment,
    Priority,
    Reply,
    Status,
    Ticket,
    TimelineEntry,
    new_reference,
)
from tickets.signals import Change

Sent = TypeVar("Sent", Ticket, Reply)

# In the order in which they are changed: whom the last ones take the ticket from still hears of the others.
CHANGEABLE = ("status", "priority", "subject", "assigned_to", "office")


class Conflict(ValidationError):
    """Somebody else changed the field after the form was made: whoever changes it now has to choose."""

    def __init__(self, field: str, ticket: Ticket, by: User) -> None:
        message = _("%(name)s changed this to “%(value)s” while you were editing.")
        value = getattr(ticket, field)
        params = {"name": by.name, "value": _("No one") if value is None else value}
        super().__init__({field: ValidationError(message, code="conflict", params=params)})
        self.field, self.ticket = field, ticket


class Stale(Exception):
    """The ticket or reply is of another version than the one that was to be changed."""


@transaction.atomic
def open_ticket(  # noqa: PLR0913  (what a ticket begins with)
    *,
    by: User,
    subject: str,
    content: str,
    office: Office,
    priority: Priority | None = None,
    attachments: Sequence[Attachment] = (),
    key: UUID | None = None,
) -> Ticket:
    """Open a ticket for `by` in `office`; without a priority, with the default one.

    The same form sent twice, known by its `key`, opens one ticket.
    """
    User.objects.select_for_update().get(pk=by.pk)
    _require(policies.can_open_ticket(by, office), _("You can't open tickets in this office."))
    sent = _sent_before(Ticket.objects.filter(creator=by, content=_text(content, "content", MAX_MESSAGE)), key)
    if sent is not None:
        return sent
    ticket = Ticket(
        reference=_unused_reference(),
        subject=_line(subject, "subject", MAX_SUBJECT),
        content=_text(content, "content", MAX_MESSAGE),
        creator=by,
        office=office,
        status=Status.default(),
        priority=priority or Priority.default(),
        request_key=key,
    )
    _record(ticket, Audience.PUBLIC)
    _attach(attachments, by, ticket)
    signals.ticket_created.send(Ticket, ticket=ticket, by=by)
    return ticket


@transaction.atomic
def add_reply(
    ticket: Ticket,
    *,
    by: User,
    message: str,
    internal: bool = False,
    attachments: Sequence[Attachment] = (),
    key: UUID | None = None,
) -> Reply:
    """Add `by`'s reply or note to `ticket`; a customer's reply to a closed ticket opens it again.

    The same form sent twice, known by its `key`, makes one reply; with another text it makes another one.
    """
    # The lock comes first: it orders one ticket's log, and what is checked stays true until commit.
    ticket = _locked(ticket)
    _require(policies.can_reply(by, ticket), _("You can't reply to this ticket."))
    if internal:
        _require(
            policies.can_write_note(by, ticket), _("Only staff with access to this ticket can write internal notes.")
        )
    text = _text(message, "message", MAX_MESSAGE)
    alike = ticket.replies.filter(Q(is_internal=internal) | Q(visibility_changed=True), author=by, message=text)
    sent = _sent_before(alike, key)
    if sent is not None:
        return sent
    reply = Reply(ticket=ticket, author=by, message=text, is_internal=internal, request_key=key)
    _record(ticket, reply.audience)
    reply.number = ticket.staff_seq
    reply.save()
    _attach(attachments, by, ticket, reply)
    signals.reply_created.send(Reply, reply=reply, by=by)
    if ticket.status.is_closed and not policies.is_staff_of(by, ticket):
        _set_status(ticket, Status.default(), by)
    return reply


@transaction.atomic
def delete_reply(reply: Reply, *, by: User) -> None:
    """Delete a reply or note with its files; whoever could read it hears that it is gone."""
    ticket = _locked(reply.ticket)
    reply = ticket.replies.get(pk=reply.pk)
    reply.ticket = ticket
    _require(policies.can_delete_reply(by, reply), _("Only the author or an admin can delete this."))
    _record(ticket, reply.audience)
    signals.reply_deleted.send(Reply, reply=reply, by=by)
    reply.delete()


@transaction.atomic
def change_visibility(reply: Reply, *, by: User, internal: bool, only_of: Container[int] | None = None) -> Reply:
    """Turn a reply into a note, or a note into a reply; what it is already changes nothing and tells nobody.

    A note that is made public is a reply from now on, for everybody: at the end of the conversation and with the time
    of now, since an older place or time would tell the customer that it was there before. A reply that is made
    internal stays where it is; to the customer it is gone like a deleted one. With `only_of`, only from one of these
    places: what was turned and turned back meanwhile has another one.
    """
    ticket = _locked(reply.ticket)
    reply = ticket.replies.get(pk=reply.pk)
    reply.ticket = ticket
    allowed = policies.can_change_visibility(by, reply, internal=internal)
    _require(
        allowed, _("Only staff with access to this ticket can do that, and not with the customer's own messages.")
    )
    if reply.is_internal == internal:
        return reply
    if only_of is not None and reply.number not in only_of:
        raise Stale
    _record(ticket, Audience.PUBLIC)
    reply.is_internal, reply.visibility_changed = internal, True
    if not internal:
        reply.number, reply.created_at = ticket.staff_seq, ticket.updated_at
    reply.save()
    signals.visibility_changed.send(Reply, reply=reply, by=by)
    return reply


@transaction.atomic
def delete_ticket(ticket: Ticket, *, by: User) -> None:
    """Delete a ticket with all that belongs to it; whoever could see it hears that it is gone."""
    ticket = _locked(ticket)
    _require(policies.can_delete_ticket(by, ticket), _("Only admins can delete tickets."))
    signals.ticket_deleted.send(Ticket, ticket=ticket, by=by)
    ticket.delete()


# Changes. `seen` is the ticket's version that the person had before him; None asks for no comparison.


@transaction.atomic
def change(
    ticket: Ticket,
    *,
    by: User,
    values: Mapping[str, Any],
    seen: int | None = None,
    only_of: Container[int] | None = None,
) -> Ticket:
    """Set several properties, all or none; with `only_of`, only on a ticket of one of these versions."""
    ticket = _locked_for_change(ticket, by)
    if only_of is not None and ticket.version not in only_of:
        raise Stale
    for field in CHANGEABLE:
        if field in values:
            after = _acceptable(field, values[field])
            _refuse_conflict(ticket, field, after, by, seen)
            _set(ticket, field, after, by)
    return ticket


def change_status(ticket: Ticket, *, by: User, status: Status, seen: int | None = None) -> Ticket:
    """Set the status; the same status again changes nothing and tells nobody."""
    return change(ticket, by=by, values={"status": status}, seen=seen)


def change_priority(ticket: Ticket, *, by: User, priority: Priority, seen: int | None = None) -> Ticket:
    """Set the priority."""
    return change(ticket, by=by, values={"priority": priority}, seen=seen)


def assign(ticket: Ticket, *, by: User, to: User | None, seen: int | None = None) -> Ticket:
    """Make `to`, an active agent or admin, the assignee; None takes the assignee off."""
    return change(ticket, by=by, values={"assigned_to": to}, seen=seen)


def unassign(ticket: Ticket, *, by: User) -> Ticket:
    """Take the assignee off."""
    return assign(ticket, by=by, to=None)


def move(ticket: Ticket, *, by: User, office: Office, seen: int | None = None) -> Ticket:
    """Move the ticket to another office; who worked on it only through the old one loses it."""
    return change(ticket, by=by, values={"office": office}, seen=seen)


def edit_subject(ticket: Ticket, *, by: User, subject: str, seen: int | None = None) -> Ticket:
    """Set the subject, on one line."""
    return change(ticket, by=by, values={"subject": subject}, seen=seen)


def _acceptable(field: str, value: Any) -> Any:
    """Return the value as it is written down; one that the field cannot have is an error."""
    if field == "assigned_to" and value is not None and not policies.can_be_assigned(value):
        raise ValidationError({"assigned_to": _("Tickets can only be assigned to active agents and admins.")})
    return _line(value, "subject", MAX_SUBJECT) if field == "subject" else value


def _set(ticket: Ticket, field: str, after: Any, by: User) -> None:
    """Set one field; the same value again changes nothing and tells nobody."""
    before = getattr(ticket, field)
    if before == after:
        return
    if field == "status":
        _set_status(ticket, after, by)
        return
    setattr(ticket, field, after)
    told = Change(field, before, after)
    ticket.version += 1
    _record(ticket, payloads.audience_of_change(told, ticket))
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[told])


def _refuse_conflict(ticket: Ticket, field: str, after: Any, by: User, seen: int | None) -> None:
    """Refuse to replace what somebody else set after version `seen`; who asks for just that has no conflict."""
    if seen is None or seen >= ticket.version or getattr(ticket, field) == after:
        return
    younger = ticket.timeline.filter(action=TimelineEntry.Action(field), version__gt=seen)
    last = younger.select_related("actor").last()
    if last is not None and last.actor_id != by.pk:
        raise Conflict(field, ticket, last.actor)


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


def _attach(attachments: Sequence[Attachment], by: User, ticket: Ticket, reply: Reply | None = None) -> None:
    """Give uploaded files to what they were sent with; a file is sent once, by who uploaded it."""
    if len(attachments) > settings.ATTACHMENT_MAX_FILES:
        raise ValidationError({"attachments": files.too_many()})
    for place, file in enumerate(attachments):
        pending = Attachment.objects.filter(pk=file.pk, uploader=by, ticket=None)
        if not pending.update(ticket=ticket, reply=reply, place=place):
            raise ValidationError({"attachments": _("“%(name)s” no longer exists.") % {"name": file.filename}})


def _sent_before(rows: QuerySet[Sent], key: UUID | None) -> Sent | None:
    """Return what the form with this key made before, if it said the same."""
    return rows.filter(request_key=key).first() if key is not None else None


def _locked(ticket: Ticket) -> Ticket:
    """Lock the ticket, then read it with what it points to: a join read while waiting would be out of date."""
    Ticket.objects.select_for_update().get(pk=ticket.pk)
    return Ticket.objects.select_related(*Ticket.RELATED).get(pk=ticket.pk)


def _locked_for_change(ticket: Ticket, by: User) -> Ticket:
    ticket = _locked(ticket)
    _require(policies.can_change(by, ticket), _("Only staff with access to this ticket can change it."))
    return ticket


def _require(allowed: bool, message: str) -> None:
    if not allowed:
        raise PermissionDenied(message)


def _text(value: str, field: str, most: int) -> str:
    """Return the text trimmed; empty, too long, or with NUL (which PostgreSQL refuses) is an error."""
    text = value.replace("\r\n", "\n").strip()
    if not text:
        raise ValidationError({field: _("Enter a message.")})
    if len(text) > most:
        raise ValidationError({field: _("Use at most %(most)d characters.") % {"most": most}})
    if "\x00" in text:
        raise ValidationError({field: _("This contains a character that isn't allowed.")})
    return text


def _line(value: str, field: str, most: int) -> str:
    return _text(" ".join(value.split()), field, most)


def _unused_reference() -> str:
    reference = new_reference()
    while Ticket.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
