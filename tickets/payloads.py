"""What each audience may see of tickets, replies and changes: allow-lists for events, pages, API and timeline."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts import payloads as accounts_payloads
from accounts.models import Office, User
from realtime import Audience
from realtime.broadcasting.events import iso
from realtime.channels import ClientEventCopy
from tickets.actors import Actor, System
from tickets.models import (
    Attachment,
    Macro,
    Reply,
    SavedView,
    Status,
    Tag,
    Ticket,
    TimelineEntry,
    participants_of,
    tags_of,
)
from tickets.notifications.mentions import with_chips
from tickets.signals import Change

VIEW_READERS = ("me", "office", "staff")  # of saved views, in the order of lists
Action = TimelineEntry.Action
SYSTEM = "system"  # the role of the system where a user has theirs
ACTOR_ROLES = [*User.Role.values, SYSTEM]


def ticket_payload(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a ticket's state for a list. Only staff see `version`: it counts hidden changes."""
    payload = {
        "uuid": str(ticket.uuid),
        "url": ticket.get_absolute_url(),
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": ticket.status.name,
        "status_id": ticket.status_id,
        "is_closed": ticket.status.is_closed,
        "priority": ticket.priority.name,
        "priority_id": ticket.priority_id,
        "office": office_name(ticket.office, audience),
        "office_id": None if office_name(ticket.office, audience) is None else ticket.office_id,
        "creator": {"id": str(ticket.creator_id), "name": str(ticket.creator)},
        "assigned_to": _named(ticket.assigned_to, ticket, audience),
        "opened_by": _named(ticket.opened_by, ticket, audience),
        "participants": [_named(each.user, ticket, audience) for each in participants_of(ticket)],
        "waiting_for": None if ticket.status.is_closed else ticket.waiting_for,
        "waiting_since": None if ticket.status.is_closed else iso(ticket.waiting_since),
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.changed_at(audience)),
    }
    if audience is not Audience.STAFF:
        return payload
    tags = [tag_payload(tag) for tag in tags_of(ticket)]
    until = None if ticket.snooze_end is None else iso(ticket.snooze_end)
    return payload | {
        "version": ticket.version,
        "source": ticket.source,
        "tags": tags,
        "snoozed_until": until,
        "is_merged": ticket.is_merged,
    }


def tag_payload(tag: Tag) -> dict[str, Any]:
    """Return a tag, for staff only."""
    return {"id": tag.pk, "name": tag.name, "color": tag.color}


def view_payload(view: SavedView) -> dict[str, Any]:
    """Return a saved view, for those it is for."""
    mine, office, staff = VIEW_READERS
    visible_to = mine if view.owner_id else office if view.office_id else staff
    url = f"{reverse('tickets:list')}?{view.query}{'&' if view.query else ''}view={view.pk}"
    # The key of its number in pages; a search has none.
    count = None if "q" in QueryDict(view.query) else f"view-{view.pk}"
    return {
        "id": view.pk,
        "name": view.name,
        "url": url,
        "visible_to": visible_to,
        "order": view.order,
        "count": count,
    }


def related_payload(ticket: Ticket) -> dict[str, Any]:
    """Return a related ticket, for staff of both."""
    return {
        "uuid": str(ticket.uuid),
        "url": ticket.get_absolute_url(),
        "reference": ticket.reference,
        "subject": ticket.subject,
        "status": ticket.status.name,
        "status_id": ticket.status_id,
        "is_closed": ticket.status.is_closed,
    }


def writer_payload(user: User, audience: Audience, *, ticket_uuid: UUID, **_: Any) -> dict[str, Any] | None:
    """Return the user who is typing, for a client event. Data from the client itself is ignored.

    A user who hides their online status is not shown to type either.
    """
    if user.hides_online:
        return None
    ticket = Ticket.objects.select_related("office").filter(uuid=ticket_uuid).first()
    return None if ticket is None else {"user": user_payload(user, ticket, audience)}


def activity_payload(user: User, audience: Audience, **_: Any) -> dict[str, Any] | None:
    """Return the user who is viewing or writing, for a client event to colleagues; None if they hide it."""
    if audience is not Audience.STAFF or user.hides_online:
        return None
    return {"user": accounts_payloads.user_payload(user, audience, None)}


def activity_copies(user: User, event: str, *, ticket_uuid: UUID, **_: Any) -> list[ClientEventCopy]:
    """Return what the lists of the ticket's office show of a client event on the ticket."""
    office = Office.objects.filter(tickets__uuid=ticket_uuid).first()
    if office is None or user.hides_online:
        return []
    shown = accounts_payloads.member_payload(user)
    data = {"ticket": {"uuid": str(ticket_uuid)}, "user": shown, "activity": event.removeprefix("client-")}
    return [ClientEventCopy(office.presence_channel, Audience.STAFF, "ticket.activity", data)]


def reply_payload(reply: Reply, audience: Audience) -> dict[str, Any]:
    """Return a reply as text and sanitised HTML. Only staff see `version`: positions count internal notes."""
    author = user_payload(reply.author, reply.ticket, audience)
    payload = {
        "id": str(reply.pk),
        "message": reply.message,
        "message_html": _html(reply, audience),
        "is_internal": reply.is_internal,
        "created_at": iso(reply.created_at),
        "edited_at": None if reply.edited_at is None else iso(reply.edited_at),
        "editable_until": None if reply.editable_until is None else iso(reply.editable_until),
        "user": author | {"avatar_url": accounts_payloads.avatar_url(reply.author, audience)},
        "attachments": [attachment_payload(attachment) for attachment in reply.attachments.all()],
    }
    for_staff = {"version": reply.version, "can_be_hidden": reply.can_be_hidden, "source": reply.source}
    return payload | for_staff if audience is Audience.STAFF else payload


def opening_payload(ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return the first message of a ticket, as `reply_payload` returns a reply: what lists of messages show."""
    author = user_payload(ticket.creator, ticket, audience)
    return {
        "id": "",
        "message_html": ticket.html,
        "is_internal": False,
        "created_at": iso(ticket.created_at),
        "user": author | {"avatar_url": accounts_payloads.avatar_url(ticket.creator, audience)},
        "attachments": [attachment_payload(file) for file in ticket.attachments.filter(reply=None)],
    }


def _html(reply: Reply, audience: Audience) -> SafeString:
    """Return the message; staff see the mentions of a note."""
    if not reply.is_internal or audience is not Audience.STAFF:
        return reply.html
    return with_chips(reply.html, [mention.name for mention in reply.mentions.all()])


def attachment_payload(attachment: Attachment) -> dict[str, Any]:
    """Return a file's name, size in bytes and URLs."""
    return {
        "id": str(attachment.pk),
        "filename": attachment.filename,
        "size": attachment.size,
        "url": reverse("files:download", args=[attachment.pk]),
        "view_url": reverse("files:view", args=[attachment.pk]) if attachment.is_image else None,
    }


def timeline_payload(entry: TimelineEntry, ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return a timeline entry as `audience` may read it."""
    people = Change(entry.action, entry.from_user, entry.to_user)
    action, actor = _action_and_actor(entry, audience)
    for_staff = {"source": entry.source} if audience is Audience.STAFF else {}
    return {
        "action": action,
        "actor": actor_payload(actor, ticket, audience),
        "created_at": iso(entry.created_at),
        **for_staff,
        **(change_payload(people, ticket, audience) if entry.is_about_people else entry.values(audience)),
    }


def user_payload(user: User, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return a user as readers of `ticket` see them. Its creator always appears under their own name."""
    audience = Audience.STAFF if user.pk == ticket.creator_id else audience
    return accounts_payloads.user_payload(user, audience, ticket.office)


def actor_payload(actor: Actor, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return a user or the system. Customers see the system as staff without a name: not what caused it."""
    if not isinstance(actor, System):
        return user_payload(actor, ticket, audience)
    if audience is Audience.PUBLIC:
        return accounts_payloads.unnamed_staff(ticket.office)
    return {"id": None, "name": str(actor), "role": SYSTEM}


def status_payload(status: Status) -> dict[str, Any]:
    return {"id": status.pk, "name": status.name, "color": status.color}


def change_payload(change: Change, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    """Return {from, to} as `audience` may read them."""
    return {"from": _value(change.before, ticket, audience), "to": _value(change.after, ticket, audience)}


def audience_of_change(change: Change, ticket: Ticket) -> Audience:
    """Return STAFF for a change that customers cannot see, such as a move between internal offices."""
    before, after = (_public_value(value, ticket) for value in (change.before, change.after))
    return Audience.STAFF if before == after else Audience.PUBLIC


def office_name(office: Office, audience: Audience) -> str | None:
    """Return the office's name; None for customers if the office is internal."""
    return None if office.is_internal and audience is Audience.PUBLIC else office.name


def _action_and_actor(entry: TimelineEntry, audience: Audience) -> tuple[str, Actor]:
    """Return action and actor. Customers see a published note as a reply, and a hidden reply as deleted."""
    if audience is Audience.PUBLIC and entry.action == Action.PUBLISHED:
        return Action.REPLIED, entry.from_user or entry.by
    if audience is Audience.PUBLIC and entry.action == Action.HIDDEN:
        return Action.DELETED, entry.by
    return entry.action, entry.by


def _named(user: User | None, ticket: Ticket, audience: Audience) -> dict[str, str | None] | None:
    """Return a user's id and name."""
    if user is None:
        return None
    payload = user_payload(user, ticket, audience)
    return {"id": payload["id"], "name": payload["name"]}


def _public_value(value: Any, ticket: Ticket) -> Any:
    """Return a field's value as customers see it."""
    if isinstance(value, User):
        return _named(value, ticket, Audience.PUBLIC)
    return _value(value, ticket, Audience.PUBLIC)


def _value(value: Any, ticket: Ticket, audience: Audience) -> str | None:
    if isinstance(value, User):
        return user_payload(value, ticket, audience)["name"]
    if isinstance(value, Office):
        return office_name(value, audience)
    if isinstance(value, Tag | Macro | datetime) and audience is Audience.PUBLIC:
        return None
    if isinstance(value, datetime):
        return iso(value)
    return None if value is None else str(value)
