"""What each audience may know of a ticket, reply or change: the allow-lists behind payloads, pages and timeline."""

from typing import Any

from django.urls import reverse

from accounts.models import Office, User
from realtime.channels import Audience
from realtime.events import iso
from tickets.markdown import render
from tickets.models import Reply, Status, Ticket, TimelineEntry
from tickets.signals import Change


def ticket_brief(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return the whole state that a list shows of a ticket."""
    return {
        "uuid": str(ticket.uuid),
        "url": ticket.get_absolute_url(),
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": ticket.status.name,
        "is_closed": ticket.status.is_closed,
        "priority": ticket.priority.name,
        "office": office_name(ticket.office, audience),
        "creator": {"id": str(ticket.creator_id), "name": ticket.creator.name},
        "assigned_to": _assignee(ticket),
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.changed_at(audience)),
    }


def reply_brief(reply: Reply) -> dict[str, Any]:
    """Return one turn of the conversation, as text and as safe HTML."""
    return {
        "id": str(reply.pk),
        "message": reply.message,
        "message_html": render(reply.message),
        "is_internal": reply.is_internal,
        "created_at": iso(reply.created_at),
        "user": person_brief(reply.author) | {"avatar_url": reverse("avatar", args=[reply.author_id])},
        "attachments": [],
    }


def timeline_brief(line: TimelineEntry, audience: Audience) -> dict[str, Any]:
    """Return who did what, from what to what, as `audience` may read it."""
    return {
        "action": line.action,
        "actor": person_brief(line.actor),
        "created_at": iso(line.created_at),
        **line.words(audience),
    }


def person_brief(person: User) -> dict[str, str]:
    """Return who someone is; never an address."""
    return {"id": str(person.pk), "name": person.name, "role": person.role}


def status_brief(status: Status) -> dict[str, Any]:
    """Return a status with its colour."""
    return {"id": status.pk, "name": status.name, "color": status.color}


def change_brief(change: Change, audience: Audience) -> dict[str, str | None]:
    """Return {from, to} as `audience` may read them."""
    return {"from": _value(change.before, audience), "to": _value(change.after, audience)}


def audience_of_change(change: Change) -> Audience:
    """A change of which customers would see nothing, such as a move between internal offices, is for staff."""
    words = change_brief(change, Audience.PUBLIC)
    return Audience.STAFF if words["from"] == words["to"] else Audience.PUBLIC


def office_name(office: Office, audience: Audience) -> str | None:
    """Return the office's name; customers do not learn which internal office works for them."""
    return None if office.is_internal and audience is Audience.PUBLIC else office.name


def _assignee(ticket: Ticket) -> dict[str, str] | None:
    person = ticket.assigned_to
    return None if person is None else {"id": str(person.pk), "name": person.name}


def _value(value: Any, audience: Audience) -> str | None:
    if isinstance(value, Office):
        return office_name(value, audience)
    return None if value is None else str(value)
