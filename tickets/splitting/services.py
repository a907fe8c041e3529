"""Split a message of a ticket into a new ticket."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Office, User
from accounts.text.lines import isolated
from realtime import Audience
from tickets import files, policies, services, signals
from tickets.actors import Source
from tickets.links.services import link_tickets
from tickets.locking import lock, require, save_with_sequence
from tickets.models import MAX_MESSAGE, Reply, Ticket, TicketSplit, TimelineEntry
from tickets.signals import Change


@transaction.atomic
def split_message(  # noqa: PLR0913
    ticket: Ticket,
    reply: Reply | None,
    *,
    by: User,
    subject: str,
    office: Office | None = None,
    content: str = "",
    source: Source = Source.PAGE,
    key: UUID | None = None,
) -> Ticket:
    """Open a ticket with a copy of a message and its files, and link both; None is the ticket's first message.

    The message stays where it is. A note becomes a note of the new ticket, whose first message is `content`. A form
    submitted twice, identified by `key`, opens one ticket.
    Raises PermissionDenied, ValidationError, Reply.DoesNotExist.
    """
    ticket = lock(ticket)
    office = office or ticket.office
    require(policies.can_split(by, ticket, office), _("Only staff with access to this ticket can change it."))
    if reply is not None:
        reply = ticket.replies.select_related("author").get(pk=reply.pk)
        reply.ticket = ticket
    if key is not None and (existing := _created_before(ticket, reply, key)) is not None:
        return existing
    values = {"subject": subject, "office": office, "source": source, "key": key}
    created = _open(ticket, reply, by=by, content=content, **values)
    TicketSplit.objects.create(ticket=ticket, reply=reply, created=created, by=by)
    link_tickets(ticket, created, by=by)
    _record(lock(ticket), by)
    return created


def requester_of(ticket: Ticket, reply: Reply | None) -> User:
    """Return the customer of the new ticket: the author of a customer's message, else that of `ticket`."""
    if reply is not None and policies.is_from_customer(reply):
        return reply.author
    return ticket.creator


def _created_before(ticket: Ticket, reply: Reply | None, key: UUID) -> Ticket | None:
    found = TicketSplit.objects.filter(ticket=ticket, reply=reply, created__request_key=key).select_related("created")
    before = found.first()
    return None if before is None else before.created


def _open(ticket: Ticket, reply: Reply | None, *, by: User, content: str, **values: Any) -> Ticket:
    """Open the new ticket. Of a note, which only a note may repeat, the first message is `content`."""
    customer = requester_of(ticket, reply)
    if not customer.is_active:
        raise ValidationError(_("The account of this ticket's customer is deactivated."))
    note = reply if reply is not None and reply.is_internal else None
    copies = [files.copy(each, by=by) for each in ticket.attachments.filter(reply=reply)]
    text, sent = (_text(ticket, reply), copies) if note is None else (content, [])
    values |= {"customer": customer, "priority": ticket.priority}
    created = services.open_ticket(by=by, content=text, attachments=sent, **values)
    if note is not None:
        text, source = _as_note(note), values["source"]
        services.add_reply(created, by=by, message=text, internal=True, attachments=copies, source=source)
    return created


def _text(ticket: Ticket, reply: Reply | None) -> str:
    text: str = Ticket.objects.values_list("content", flat=True).get(pk=ticket.pk) if reply is None else reply.message
    return text


def _as_note(note: Reply) -> str:
    """Return the text of a note under the name of its author; one without room for that is refused, not cut."""
    head = _("Note by %(name)s:") % {"name": isolated(str(note.author))}
    text = f"{head}\n\n{note.message}"
    if len(text) > MAX_MESSAGE:
        raise ValidationError({"reply": _("This note is too long to be split.")})
    return text


def _record(ticket: Ticket, by: User) -> None:
    """Record the split for staff of the ticket. It does not name the new one, which not all of them may see."""
    save_with_sequence(ticket, Audience.STAFF)
    change = Change(TimelineEntry.Action.SPLIT.value, None, None)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])
