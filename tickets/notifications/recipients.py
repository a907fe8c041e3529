"""Who is notified of what: one table for notifications in the app and for mail.

No one is notified of what they did themselves, or of a ticket that they have muted, unless it is addressed to them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User
from tickets import policies
from tickets.actors import Actor, System
from tickets.models import (
    PERSONAL_KINDS,
    Mention,
    NotificationKind,
    Reply,
    Status,
    Ticket,
    TicketSubscription,
    participants_of,
)
from tickets.signals import Change

Kind = NotificationKind
Level = TicketSubscription.Level
_NO_USER = Q(pk__in=[])


@dataclass(frozen=True)
class Notice:
    """An event, and the people who are notified. All of them may read it now."""

    kind: NotificationKind
    ticket: Ticket
    people: Sequence[User]
    by: Actor
    reply: Reply | None = None
    # That of the ticket, for events that happen to it more than once.
    version: int | None = None

    @property
    def actor(self) -> User | None:
        """Who did it: the author of a message; None for the system."""
        by = self.by if self.reply is None else self.reply.author
        return by if isinstance(by, User) else None

    @property
    def occurrence(self) -> str:
        """What names the event for one person: they are notified once, of the first kind in this module."""
        return occurrence(self.ticket, self.reply, self.version)


def occurrence(ticket: Ticket, reply: Reply | None, version: int | None = None) -> str:
    """Return what names an event. A note that is published again has another number, and so is another one."""
    if reply is not None:
        return f"{reply.pk} {reply.number}"
    return str(ticket.uuid) if version is None else f"{ticket.uuid} {version}"


def of_new_ticket(ticket: Ticket, by: Actor) -> Iterator[Notice]:
    """Notify the customer and the agents of the office."""
    yield Notice(Kind.RECEIPT, ticket, [ticket.creator], by)
    yield _new_in_office(ticket, by)


def of_changes(ticket: Ticket, by: Actor, changes: Sequence[Change]) -> Iterator[Notice]:
    """Notify new assignees and participants, and the agents of an office to which an unassigned ticket was moved.

    When the time of a snooze has come, notify the assignee and who chose it.
    """
    for change in changes:
        if change.field == "participants" and change.after not in (None, by):
            yield Notice(Kind.JOINED, ticket, [change.after], by, version=ticket.version)
        if change.field == "assigned_to" and change.after is not None:
            people = _staff(Kind.ASSIGNED, ticket, Q(pk=change.after.pk), without=[by])
            yield Notice(Kind.ASSIGNED, ticket, people, by, version=ticket.version)
        if change.field == "office" and ticket.assigned_to_id is None:
            yield _new_in_office(ticket, by, version=ticket.version)
        if change.field == "snoozed_until" and isinstance(by, System):
            wanted = Q(pk__in=[ticket.assigned_to_id, ticket.snoozed_by_id])
            yield Notice(
                Kind.RETURNED, ticket, _staff(Kind.RETURNED, ticket, wanted, without=[]), by, version=ticket.version
            )


def of_status(ticket: Ticket, by: Actor, after: Status) -> Iterator[Notice]:
    """Notify customer and participants that the ticket was closed."""
    if after.is_closed:
        yield Notice(Kind.STATUS, ticket, _customers(ticket, without=[by]), by, version=ticket.version)


def of_message(reply: Reply, by: Actor) -> Iterator[Notice]:
    """Notify of a new message, also of a reply that was a note so far: customers of replies, staff of the others."""
    if not reply.is_internal:
        yield Notice(Kind.REPLY, reply.ticket, of_public_reply(reply, by), by, reply)
    if not reply.visibility_changed:
        if reply.is_internal:
            yield Notice(Kind.MENTION, reply.ticket, mentioned_in(reply), by, reply)
        kind = Kind.NOTE if reply.is_internal else Kind.CUSTOMER_REPLY
        yield Notice(kind, reply.ticket, staff_of_message(reply), by, reply)


def of_public_reply(reply: Reply, by: Actor) -> list[User]:
    """Return who has a public reply sent: customer and participants, without who wrote or published it."""
    return _customers(reply.ticket, without=[reply.author, by])


def staff_of_message(reply: Reply) -> list[User]:
    """Return which staff are notified of a note, or of a message of the customer: the assignee or else the office.

    Of a note it is the assignee only. Followers are notified of both, and who snoozed the ticket of the message that
    ends it; the people of a reply receive it as such, and who is mentioned in a note as that.
    """
    ticket = reply.ticket
    is_answer = not reply.is_internal and reply.author_id != ticket.creator_id
    if is_answer and policies.is_staff_of(reply.author, ticket):
        return []
    kind = Kind.NOTE if reply.is_internal else Kind.CUSTOMER_REPLY
    office = _NO_USER if reply.is_internal else _agents(ticket)
    wanted = office if ticket.assigned_to is None else Q(pk=ticket.assigned_to.pk)
    if ticket.snoozed_until is not None and not reply.is_internal:
        wanted |= Q(pk=ticket.snoozed_by_id)
    others = mentioned_in(reply) if reply.is_internal else _people(ticket)
    return _staff(kind, ticket, wanted | _subscribed(ticket, Level.FOLLOWED), without=[reply.author, *others])


def mentioned_in(note: Reply) -> list[User]:
    """Return the staff of the ticket that a note mentions."""
    mentioned = Q(pk__in=Mention.objects.filter(reply=note).values("user"))
    return _staff(Kind.MENTION, note.ticket, mentioned, without=[note.author])


def _new_in_office(ticket: Ticket, by: Actor, *, version: int | None = None) -> Notice:
    people = _staff(Kind.NEW_TICKET, ticket, _agents(ticket), without=[ticket.creator, by])
    return Notice(Kind.NEW_TICKET, ticket, people, by, version=version)


def _agents(ticket: Ticket) -> Q:
    return Q(pk__in=policies.agents_of(ticket.office_id).values("pk"))


def _subscribed(ticket: Ticket, level: TicketSubscription.Level) -> Q:
    return Q(pk__in=TicketSubscription.objects.filter(ticket=ticket, level=level).values("user"))


def _staff(kind: NotificationKind, ticket: Ticket, wanted: Q, *, without: Sequence[Any]) -> list[User]:
    """Return the wanted people who are staff of the ticket now: one query, however many they are."""
    muted = _NO_USER if kind in PERSONAL_KINDS else _subscribed(ticket, Level.MUTED)
    people = policies.staff_of(ticket).filter(wanted).exclude(muted)
    return list(people.exclude(pk__in=[user.pk for user in without if isinstance(user, User)]))


def _people(ticket: Ticket) -> list[User]:
    return [ticket.creator, *(participant.user for participant in participants_of(ticket))]


def _customers(ticket: Ticket, *, without: Sequence[Actor]) -> list[User]:
    """Return the customer and the participants."""
    people = [user for user in _people(ticket) if user.is_active and user not in without]
    muted = TicketSubscription.objects.filter(ticket=ticket, user__in=people, level=Level.MUTED).values_list("user")
    silent = {pk for (pk,) in muted} if people else set()
    return [user for user in people if user.pk not in silent]
