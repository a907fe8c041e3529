"""Every way to change a ticket. Each service locks the ticket, checks permission, writes, and sends signals."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import Office, User
from accounts.text.lines import is_blank, isolated, validate_line
from realtime import Audience
from tickets import drafts, files, payloads, policies, reading, signals
from tickets.actors import Actor, Source
from tickets.locking import lock, require, save_with_sequence
from tickets.markdown.stored import replace_text
from tickets.merging.state import admit_message, require_not_merged
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
from tickets.notifications.mentions import record as record_mentions
from tickets.signals import Change
from tickets.snooze.services import set_snooze
from tickets.submissions import fingerprint, state_of, submitted_before
from tickets.tags.services import set_tags
from tickets.unseen import require_seen

# In this order: users who lose access by the last two still receive the events of the others.
EDITABLE_FIELDS = ("status", "priority", "subject", *Ticket.ACCESS_FIELDS)


class Conflict(ValidationError):
    """Another user changed `field` after the version that the client had seen."""

    def __init__(self, field: str, ticket: Ticket, by: Actor) -> None:
        message = _("%(name)s changed this to “%(value)s” while you were editing.")
        value = getattr(ticket, field)
        params = {"name": isolated(str(by)), "value": _("No one") if value is None else isolated(str(value))}
        super().__init__({field: ValidationError(message, code="conflict", params=params)})
        self.field, self.ticket = field, ticket


class Stale(Exception):
    """The ticket or reply has none of the versions that the client named."""


@transaction.atomic
def open_ticket(  # noqa: PLR0913
    *,
    by: Actor,
    subject: str,
    content: str,
    office: Office,
    customer: User | None = None,
    priority: Priority | None = None,
    attachments: Sequence[Attachment] = (),
    source: Source = Source.PAGE,
    key: UUID | None = None,
) -> Ticket:
    """Open a ticket of `customer`, by default of `by`, in `office`.

    The system always names the customer. A form submitted twice, identified by `key`, opens one ticket. Files are
    uploads of `by`, or of the customer for the system.
    Raises PermissionDenied, ValidationError; AlreadySubmitted if the form was submitted before with other values.
    """
    writer, customer = _writer_and_customer(by, customer)
    User.objects.select_for_update().get(pk=writer.pk)
    _require_may_open(by, customer, office)
    subject, content = _clean_line(subject, "subject", MAX_SUBJECT), _clean_text(content, "content", MAX_MESSAGE)
    priority = priority or Priority.default()
    opened_by = None if writer == customer else writer
    values = fingerprint(attachments, subject, office.pk, priority.pk)
    same = Ticket.objects.filter(creator=customer, opened_by=opened_by, content=content)
    if (existing := submitted_before(same, key, values)) is not None:
        return existing
    ticket = Ticket(reference=_unused_reference(), subject=subject, content=content, office=office, source=source)
    ticket.creator, ticket.opened_by = customer, opened_by
    ticket.set_status(Status.default())
    ticket.priority = priority
    ticket.request_key, ticket.request_fingerprint = key, values
    ticket.last_message_at = ticket.last_public_message_at = ticket.waiting_since = ticket.created_at
    save_with_sequence(ticket, Audience.PUBLIC)
    _attach(attachments, writer, ticket)
    signals.ticket_created.send(Ticket, ticket=ticket, by=by)
    return ticket


@transaction.atomic
def open_ticket_for(text: str, *, by: User, draft: int | None = None, **values: Any) -> Ticket:
    """Open a ticket for the person that `text` names (see `customers.named_customer`), or for `by` if it is empty.

    `draft` is the version of their draft that the page knows; it ends.
    Raises PermissionDenied, ValidationError; AlreadySubmitted as `open_ticket` does.
    """
    try:
        customer = customers.named_customer(text, by=by) if text else by
    except ValidationError as error:
        raise ValidationError({"customer": error.messages}) from error
    ticket = open_ticket(by=by, customer=customer, **values)
    drafts.end_draft(by=by, ticket=None, version=draft, sent=values["content"])
    return ticket


@transaction.atomic
def add_reply(  # noqa: PLR0913
    ticket: Ticket,
    *,
    by: User,
    message: str,
    internal: bool = False,
    attachments: Sequence[Attachment] = (),
    status: Status | None = None,
    mentions: Iterable[UUID] = (),
    source: Source = Source.PAGE,
    key: UUID | None = None,
    seen: UUID | None = None,
    draft: int | None = None,
) -> Reply:
    """Add a reply or an internal note to `ticket`, and set its `status` if one is given.

    Else a reply of the ticket's creator ends a status that is closed or waits for the customer. A form submitted
    twice with the same text, identified by `key`, makes one reply. `seen` is the latest message that `by` has seen
    (see `unseen_replies`), `draft` the version of their draft that the page knows; it ends. `mentions` are the keys
    of people that a note mentions. A merged ticket refuses it, or is merged no more (`merging.state.admit_message`).
    Raises PermissionDenied, ValidationError; AlreadySubmitted if the form was submitted before with other files or
    another status; UnseenMessages if others have added messages after `seen`.
    """
    ticket = lock(ticket)  # first: it orders the ticket's events, and what is checked below stays true until commit
    _require_may_write(by, ticket, internal, status)
    text = _clean_text(message, "message", MAX_MESSAGE)
    values = fingerprint(attachments, *([] if status is None else [status.pk]))
    if (existing := submitted_before(_same_replies(ticket, by, text, internal), key, values)) is not None:
        return existing
    require_seen(by, ticket, seen)
    admit_message(ticket, by=by, source=source)
    reply = Reply(ticket=ticket, author=by, message=text, is_internal=internal, source=source)
    reply.request_key, reply.request_fingerprint = key, values
    _save_at_the_end(reply)
    _attach(attachments, by, ticket, reply)
    record_mentions(reply, mentions)
    drafts.end_draft(by=by, ticket=ticket, version=draft, sent=text)
    signals.reply_created.send(Reply, reply=reply, by=by)
    _change_after(reply, status, by)
    return reply


def _same_replies(ticket: Ticket, by: User, text: str, internal: bool) -> QuerySet[Reply]:
    """Return the replies by which `by` may have sent `text` before; it may have been edited or published since."""
    same = ticket.replies.filter(Q(is_internal=internal) | Q(visibility_changed=True), author=by)
    return same.filter(Q(message=text) | Q(revisions__message=text)).distinct()


def _change_after(reply: Reply, status: Status | None, by: User) -> None:
    """Set the status after a reply, and end the snooze that a customer's message ends."""
    if policies.is_from_customer(reply):
        set_snooze(reply.ticket, None, by=by)
    _set_status(reply.ticket, status or _status_after(reply), by)


def _status_after(reply: Reply) -> Status:
    """Return the status of the ticket after a reply that names none."""
    reopened = Status.after_reply() if policies.reply_reopens(reply) else None
    return reopened or reply.ticket.status


def _save_at_the_end(reply: Reply) -> None:
    """Save a new reply as the last message of its locked ticket; its author has read it."""
    ticket, author = reply.ticket, reply.author
    ticket.advance(reply.audience)
    # One time for both: what is derived again from the messages, after a note is deleted, must not change.
    reply.number, reply.created_at = ticket.staff_seq, ticket.updated_at
    reading.record_message(ticket, by=author, number=reply.number, at=ticket.updated_at, audience=reply.audience)
    ticket.save()
    reply.save()
    reading.read_own(ticket, by=author, number=reply.number)


def _writer_and_customer(by: Actor, customer: User | None) -> tuple[User, User]:
    """Return the user who writes a ticket's first message, and the user whose ticket it becomes."""
    if isinstance(by, User):
        return by, customer or by
    if customer is None:
        raise TypeError("The system opens tickets of a customer only.")
    return customer, customer


def _require_may_open(by: Actor, customer: User, office: Office) -> None:
    if by == customer:
        require(policies.can_open_ticket(customer, office), _("You can't open tickets in this office."))
    else:
        reason = _("You can only open tickets for others in offices that you work in.")
        require(policies.can_open_ticket_for(by, customer, office), reason)


def _require_may_write(user: User, ticket: Ticket, internal: bool, status: Status | None) -> None:
    require(policies.can_reply(user, ticket), _("You can't reply to this ticket."))
    if internal:
        reason = _("Only staff with access to this ticket can write internal notes.")
        require(policies.can_write_note(user, ticket), reason)
    if status is not None:
        _require_may_change(user, ticket)


def _require_may_change(by: Actor, ticket: Ticket) -> None:
    require(policies.can_change(by, ticket), _("Only staff with access to this ticket can change it."))


@transaction.atomic
def edit_reply(
    reply: Reply, *, by: User, message: str, seen: str | None = None, if_versions: Container[int] | None = None
) -> Reply:
    """Replace the text of a reply or note, and keep the previous one for staff; without a change, do nothing.

    `seen` is the state that the author edited (see `state_of`). Mails that were sent are not sent again.
    Raises PermissionDenied, ValidationError, Reply.DoesNotExist; Stale if the message changed after `seen`, or has
    none of `if_versions`.
    """
    ticket = lock(reply.ticket)
    reply = ticket.replies.get(pk=reply.pk)
    reply.ticket = ticket
    require(policies.can_edit_reply(by, reply), _("You can no longer edit this message."))
    text = _clean_text(message, "message", MAX_MESSAGE)
    if seen not in (None, state_of(reply)) or (if_versions is not None and reply.version not in if_versions):
        raise Stale
    if text == reply.message:
        return reply
    reply.revisions.create(message=reply.message, written_at=reply.edited_at or reply.created_at)
    save_with_sequence(ticket, reply.audience)
    replace_text(reply, text, edited_at=ticket.updated_at, edited_number=ticket.staff_seq)
    reply.refresh_from_db()
    reply.ticket = ticket
    signals.reply_edited.send(Reply, reply=reply, by=by)
    return reply


@transaction.atomic
def delete_reply(reply: Reply, *, by: User) -> None:
    """Delete a reply or note with its files. Raises PermissionDenied, Reply.DoesNotExist."""
    ticket = lock(reply.ticket)
    reply = ticket.replies.get(pk=reply.pk)
    reply.ticket = ticket
    require(policies.can_delete_reply(by, reply), _("Only the author or an admin can delete this."))
    save_with_sequence(ticket, reply.audience)
    reading.recount(ticket, without=reply)
    signals.reply_deleted.send(Reply, reply=reply, by=by)
    reply.delete()


@transaction.atomic
def change_visibility(reply: Reply, *, by: User, internal: bool, if_versions: Container[int] | None = None) -> Reply:
    """Make a reply an internal note, or a note a public reply; without a change, do nothing.

    A published note moves to the end of the conversation and gets the current time: its old position or time would
    reveal to the customer that it existed before. A hidden reply keeps its position.
    Raises PermissionDenied, Reply.DoesNotExist, and Stale if the reply's version is not in `if_versions`.
    """
    ticket = lock(reply.ticket)
    reply = ticket.replies.get(pk=reply.pk)
    reply.ticket = ticket
    allowed = policies.can_change_visibility(by, reply, internal=internal)
    require(
        allowed, _("Only staff with access to this ticket can do that, and not with the customer's own messages.")
    )
    if reply.is_internal == internal:
        return reply
    if if_versions is not None and reply.version not in if_versions:
        raise Stale
    save_with_sequence(ticket, Audience.PUBLIC)
    reply.is_internal, reply.visibility_changed = internal, True
    if not internal:
        reply.number, reply.created_at = ticket.staff_seq, ticket.updated_at
        reply.edited_at = reply.edited_number = None  # customers have not seen another text
    reply.save()
    reading.recount(ticket)
    if not internal:
        reading.read_own(ticket, by=by, number=reply.number)
    signals.visibility_changed.send(Reply, reply=reply, by=by)
    return reply


@transaction.atomic
def delete_ticket(ticket: Ticket, *, by: User) -> None:
    """Delete a ticket with its conversation, files and timeline. Raises PermissionDenied."""
    ticket = lock(ticket)
    require(policies.can_delete_ticket(by, ticket), _("Only admins can delete tickets."))
    signals.ticket_deleted.send(Ticket, ticket=ticket, by=by)
    ticket.delete()


@transaction.atomic
def update_ticket(
    ticket: Ticket,
    *,
    by: Actor,
    values: Mapping[str, Any],
    seen_version: int | None = None,
    if_versions: Container[int] | None = None,
    is_replacement: bool = False,
) -> Ticket:
    """Set the fields in `values` (of EDITABLE_FIELDS), all or none; an unchanged value sends no signal.

    `tags` are the names of its tags: others are taken off, and unknown ones are new. None as `snoozed_until` ends the
    snooze, as closing the ticket does. A merged ticket changes by the replacement of a deleted value only.

    Raises PermissionDenied, ValidationError; Conflict if another user changed one of the fields after `seen_version`;
    Stale if the ticket's version is not in `if_versions`.
    """
    ticket = lock(ticket)
    _require_may_change(by, ticket)
    if if_versions is not None and ticket.version not in if_versions:
        raise Stale
    if not is_replacement:
        require_not_merged(ticket)
    if "tags" in values:
        set_tags(ticket, values["tags"], by=by)
    if "snoozed_until" in values:
        set_snooze(ticket, values["snoozed_until"], by=by)
    for field in EDITABLE_FIELDS:
        if field in values:
            value = _clean_value(field, values[field])
            _check_conflict(ticket, field, value, by, seen_version)
            _set_field(ticket, field, value, by)
    return ticket


def _clean_value(field: str, value: Any) -> Any:
    """Return the value to store. Raises ValidationError."""
    if field == "assigned_to" and value is not None and not policies.can_be_assigned(value):
        raise ValidationError({"assigned_to": _("Tickets can only be assigned to active agents and admins.")})
    return _clean_line(value, "subject", MAX_SUBJECT) if field == "subject" else value


def _set_field(ticket: Ticket, field: str, after: Any, by: Actor) -> None:
    before = getattr(ticket, field)
    if before == after:
        return
    if field == "status":
        _set_status(ticket, after, by)
        return
    setattr(ticket, field, after)
    change = Change(field, before, after)
    ticket.version += 1
    save_with_sequence(ticket, payloads.audience_of_change(change, ticket))
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])


def _check_conflict(ticket: Ticket, field: str, after: Any, by: Actor, seen: int | None) -> None:
    """Raise Conflict if another user set `field` to another value than `after` since version `seen`."""
    if seen is None or seen >= ticket.version or getattr(ticket, field) == after:
        return
    newer = ticket.timeline.filter(action=TimelineEntry.Action(field), version__gt=seen)
    last = newer.select_related("actor").last()
    if last is not None and last.by != by:
        raise Conflict(field, ticket, last.by)


def _set_status(ticket: Ticket, after: Status, by: Actor) -> None:
    before = ticket.status
    if before != after:
        ticket.set_status(after)
        ticket.version += 1
        save_with_sequence(ticket, Audience.PUBLIC)
        signals.status_changed.send(Ticket, ticket=ticket, by=by, before=before, after=after)
        if after.is_closed:
            set_snooze(ticket, None, by=by)
        _release_reopened(ticket, by)


def _release_reopened(ticket: Ticket, by: Actor) -> None:
    """Remove an assignee who has left: a ticket that is open again would be in no list of open work."""
    assignee = ticket.assigned_to
    if assignee is not None and not ticket.status.is_closed and not policies.can_be_assigned(assignee):
        _set_field(ticket, "assigned_to", None, by)


def _attach(attachments: Sequence[Attachment], by: User, ticket: Ticket, reply: Reply | None = None) -> None:
    """Attach uploaded files to a ticket or reply. A file can be sent once, by its uploader.

    Files that were sent with another text by the same form stay where they are.
    """
    if len(attachments) > settings.ATTACHMENT_MAX_FILES:
        raise ValidationError({"attachments": files.too_many()})
    for place, file in enumerate(file for file in attachments if file.ticket_id is None):
        pending = Attachment.objects.filter(pk=file.pk, uploader=by, ticket=None)
        if not pending.update(ticket=ticket, reply=reply, place=place):
            raise ValidationError(
                {"attachments": _("“%(name)s” no longer exists.") % {"name": isolated(file.filename)}}
            )


def _clean_text(value: str, field: str, most: int) -> str:
    """Return the text without empty lines around it; its first line keeps its indentation.

    Raises ValidationError if it is empty, too long or contains NUL.
    """
    text = re.sub(r"\A(?:\s*\n)+", "", value.replace("\r\n", "\n").replace("\r", "\n").rstrip())
    if is_blank(text):
        raise ValidationError({field: _("Enter a message.")})
    if len(text) > most:
        raise ValidationError({field: _("Use at most %(most)d characters.") % {"most": most}})
    if "\x00" in text:
        raise ValidationError({field: _("This contains a character that isn't allowed.")})
    return text


def _clean_line(value: str, field: str, most: int) -> str:
    text = _clean_text(" ".join(value.split()), field, most)
    try:
        validate_line(text)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from error
    return text


def _unused_reference() -> str:
    reference = new_reference()
    while Ticket.objects.filter(reference=reference).exists():
        reference = new_reference()
    return reference
