"""What each audience may know of a ticket, reply or change: the allow-lists behind payloads, pages and timeline."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from accounts import payloads as people
from accounts.models import Office, User
from realtime import Audience
from realtime.broadcasting.events import iso
from tickets.markdown import render
from tickets.models import Attachment, Reply, Status, Ticket, TimelineEntry
from tickets.signals import Change

Action = TimelineEntry.Action


def ticket_payload(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return the whole state that a list shows of a ticket; only staff may count its versions."""
    brief = {
        "uuid": str(ticket.uuid),
        "url": ticket.get_absolute_url(),
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": ticket.status.name,
        "is_closed": ticket.status.is_closed,
        "priority": ticket.priority.name,
        "office": office_name(ticket.office, audience),
        "creator": {"id": str(ticket.creator_id), "name": ticket.creator.name},
        "assigned_to": _assignee(ticket.assigned_to, ticket, audience),
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.changed_at(audience)),
    }
    return brief | {"version": ticket.version} if audience is Audience.STAFF else brief


def writer_payload(user: User, audience: Audience, *, ticket_uuid: UUID, **_: Any) -> dict[str, Any] | None:
    """Return who is writing on a ticket, as `audience` knows him: what a client says of himself is not told."""
    ticket = Ticket.objects.select_related("office").filter(uuid=ticket_uuid).first()
    return None if ticket is None else {"user": user_payload(user, ticket, audience)}


def reply_payload(reply: Reply, audience: Audience) -> dict[str, Any]:
    """Return one turn of the conversation, as text and as safe HTML; only staff may turn it, and count its places."""
    author = user_payload(reply.author, reply.ticket, audience)
    brief = {
        "id": str(reply.pk),
        "message": reply.message,
        "message_html": render(reply.message),
        "is_internal": reply.is_internal,
        "created_at": iso(reply.created_at),
        "user": author | {"avatar_url": people.avatar_url(reply.author, audience)},
        "attachments": [attachment_payload(attachment) for attachment in reply.attachments.all()],
    }
    turning = {"version": reply.number, "can_be_hidden": reply.can_be_hidden}
    return brief | turning if audience is Audience.STAFF else brief


def attachment_payload(attachment: Attachment) -> dict[str, Any]:
    """Return a file's name, its size in bytes, and where who may read it gets it."""
    return {
        "id": str(attachment.pk),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": reverse("files:download", args=[attachment.pk]),
        "view_url": reverse("files:view", args=[attachment.pk]) if attachment.is_image else None,
    }


def timeline_payload(line: TimelineEntry, ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return who did what, from what to what, as `audience` may read it."""
    handover = Change("assigned_to", line.from_user, line.to_user)
    is_handover = line.action == Action.ASSIGNED_TO
    action, actor = _action_and_actor(line, audience)
    return {
        "action": action,
        "actor": user_payload(actor, ticket, audience),
        "created_at": iso(line.created_at),
        **(change_payload(handover, ticket, audience) if is_handover else line.values(audience)),
    }


def user_payload(person: User, ticket: Ticket, audience: Audience) -> dict[str, str]:
    """Return who someone is to the readers of `ticket`; who opened it has his own name there, even an agent."""
    as_whom = Audience.STAFF if person.pk == ticket.creator_id else audience
    return people.user_payload(person, as_whom, ticket.office)


def status_payload(status: Status) -> dict[str, Any]:
    """Return a status with its colour."""
    return {"id": status.pk, "name": status.name, "color": status.color}


def change_payload(change: Change, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return {from, to} as `audience` may read them."""
    return {"from": _value(change.before, ticket, audience), "to": _value(change.after, ticket, audience)}


def audience_of_change(change: Change, ticket: Ticket) -> Audience:
    """A change of which customers would see nothing, such as a move between internal offices, is for staff."""
    before, after = (_seen(value, ticket) for value in (change.before, change.after))
    return Audience.STAFF if before == after else Audience.PUBLIC


def office_name(office: Office, audience: Audience) -> str | None:
    """Return the office's name; customers do not learn which internal office works for them."""
    return None if office.is_internal and audience is Audience.PUBLIC else office.name


def _action_and_actor(line: TimelineEntry, audience: Audience) -> tuple[str, User]:
    """Return what was done, and by whom; to customers a published note is a reply, and a hidden reply is gone."""
    if audience is Audience.PUBLIC and line.action == Action.PUBLISHED:
        return Action.REPLIED, line.from_user or line.actor
    if audience is Audience.PUBLIC and line.action == Action.HIDDEN:
        return Action.DELETED, line.actor
    return line.action, line.actor


def _assignee(person: User | None, ticket: Ticket, audience: Audience) -> dict[str, str | None] | None:
    """Return who works on a ticket; behind a mask nobody can be told from the next one who wears it."""
    if person is None:
        return None
    name = user_payload(person, ticket, audience)["name"]
    return {"id": str(person.pk) if name == person.name else None, "name": name}


def _seen(value: Any, ticket: Ticket) -> Any:
    """Return what customers see of a field's value."""
    if isinstance(value, User):
        return _assignee(value, ticket, Audience.PUBLIC)
    return _value(value, ticket, Audience.PUBLIC)


def _value(value: Any, ticket: Ticket, audience: Audience) -> str | None:
    if isinstance(value, User):
        return user_payload(value, ticket, audience)["name"]
    if isinstance(value, Office):
        return office_name(value, audience)
    return None if value is None else str(value)
