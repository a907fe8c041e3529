"""What listeners are told: that a ticket was opened, changed or taken from them, and what became of its replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Office, User
from realtime.broadcasting.events import Event, ForChannel, OnlyAudience
from realtime.channels import Audience
from tickets import briefs, policies
from tickets.models import Reply, Status, Ticket
from tickets.signals import Change


class TicketEvent(Event):
    """What happened to one ticket, told to all whom it concerns."""

    @property
    def subject_ticket(self) -> Ticket:
        """The ticket that it happened to."""
        raise NotImplementedError

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return what happened, by an allow-list."""
        raise NotImplementedError

    def person(self, person: User, audience: Audience) -> dict[str, str]:
        """Return who did it, by the name that `audience` knows."""
        return briefs.person_of_ticket(person, self.subject_ticket, audience)

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """The ticket itself, its office, its creator in his own version, its assignee."""
        ticket = self.subject_ticket
        channels: list[str | ForChannel] = [ticket.channel, ForChannel(ticket.office.channel, Audience.STAFF)]
        people = {person.pk: person for person in (ticket.creator, ticket.assigned_to) if person is not None}
        for person in people.values():
            audience = policies.audience_of(person, ticket)
            if audience is not None:
                channels.append(ForChannel(person.channel, audience))
        return channels

    def broadcast_guard(self) -> str:
        """Who may no longer hear the ticket does not hear its past again."""
        return self.subject_ticket.channel

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket as it stands, the sequence of `audience`, and what happened."""
        ticket = self.subject_ticket
        return {
            "ticket": briefs.ticket_brief(ticket, audience),
            "audience": audience.value,
            "seq": ticket.seq(audience),
            **self.body(audience),
        }


@dataclass(frozen=True)
class TicketCreated(TicketEvent):
    """Someone opened a ticket."""

    broadcast_as = "ticket.created"
    ticket: Ticket
    by: User

    @property
    def subject_ticket(self) -> Ticket:
        """The new ticket."""
        return self.ticket

    def broadcast_to(self) -> Audience:
        """Everybody whom it concerns."""
        return Audience.PUBLIC

    def body(self, audience: Audience) -> dict[str, Any]:
        """Say who opened it."""
        return {"created_by": self.person(self.by, audience)}


@dataclass(frozen=True)
class TicketUpdated(TicketEvent):
    """Fields of a ticket changed."""

    broadcast_as = "ticket.updated"
    ticket: Ticket
    by: User
    changes: Sequence[Change]

    @property
    def subject_ticket(self) -> Ticket:
        """The changed ticket."""
        return self.ticket

    def broadcast_to(self) -> Audience:
        """Customers hear it if they see any of it."""
        seen = [briefs.audience_of_change(change, self.ticket) is Audience.PUBLIC for change in self.changes]
        return Audience.PUBLIC if any(seen) else Audience.STAFF

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return {field: {from, to}} of the changes that `audience` sees."""
        seen = [
            change for change in self.changes if audience.includes(briefs.audience_of_change(change, self.ticket))
        ]
        changes = {change.field: briefs.change_brief(change, self.ticket, audience) for change in seen}
        return {"updated_by": self.person(self.by, audience), "changes": changes}


@dataclass(frozen=True)
class TicketReplyCreated(TicketEvent):
    """Someone answered, or staff left a note."""

    broadcast_as = "ticket.reply.created"
    reply: Reply

    @property
    def subject_ticket(self) -> Ticket:
        """The ticket of the conversation."""
        return self.reply.ticket

    def broadcast_to(self) -> Audience | OnlyAudience:
        """A note is for staff."""
        return self.reply.audience

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the reply; notes only ever come here for staff."""
        return {"reply": briefs.reply_brief(self.reply, audience)}

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Leave out the message: pages fetch it from the reply's address."""
        reply = {**data["reply"], "message": "", "message_html": "", "truncated": True}
        return {**data, "reply": reply, "truncated": True}

    def emptied(self, data: dict[str, Any]) -> dict[str, Any]:
        """Leave nothing of what it said, and the sequence whole: what remains in the log of a deleted reply."""
        short = self.shorten(data)
        return {**short, "reply": {**short["reply"], "attachments": []}}


@dataclass(frozen=True)
class TicketReplyAppeared(TicketReplyCreated):
    """A note was made public: to who could not read it, it is a new reply."""

    def broadcast_to(self) -> OnlyAudience:
        """Customers; staff have it already."""
        return OnlyAudience(Audience.PUBLIC)


@dataclass(frozen=True)
class TicketReplyUpdated(TicketReplyCreated):
    """A reply became a note, or a note a reply."""

    broadcast_as = "ticket.reply.updated"
    by: User

    def broadcast_to(self) -> Audience:
        """Staff: to customers a reply comes or goes."""
        return Audience.STAFF

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the reply as it is now, and who turned it."""
        return super().body(audience) | {"updated_by": self.person(self.by, audience)}


@dataclass(frozen=True)
class TicketReplyDeleted(TicketEvent):
    """A reply or note was deleted."""

    broadcast_as = "ticket.reply.deleted"
    reply: Reply
    by: User

    @property
    def subject_ticket(self) -> Ticket:
        """The ticket of the conversation."""
        return self.reply.ticket

    def broadcast_to(self) -> Audience | OnlyAudience:
        """Who could read it."""
        return self.reply.audience

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return which one, and nothing of what it said; whom it is told to as a customer never had it as a note."""
        is_internal = self.reply.is_internal and audience is Audience.STAFF
        return {
            "reply": {"id": str(self.reply.pk), "is_internal": is_internal},
            "deleted_by": self.person(self.by, audience),
        }


@dataclass(frozen=True)
class TicketReplyVanished(TicketReplyDeleted):
    """A reply was made internal: to who may not read notes it is gone, like a deleted one."""

    def broadcast_to(self) -> OnlyAudience:
        """Customers; staff keep it."""
        return OnlyAudience(Audience.PUBLIC)


@dataclass(frozen=True)
class TicketStatusChanged(TicketEvent):
    """A ticket's status changed."""

    broadcast_as = "ticket.status.changed"
    ticket: Ticket
    by: User
    before: Status
    after: Status

    @property
    def subject_ticket(self) -> Ticket:
        """The changed ticket."""
        return self.ticket

    def broadcast_to(self) -> Audience:
        """Everybody whom it concerns."""
        return Audience.PUBLIC

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return both statuses with their colours."""
        change = {"from": briefs.status_brief(self.before), "to": briefs.status_brief(self.after)}
        return {"status_change": change, "changed_by": self.person(self.by, audience)}


@dataclass(frozen=True)
class TicketWithdrawn(Event):
    """An office or a person has just lost a ticket, or it is deleted; they are told which, and nothing else."""

    broadcast_as = "ticket.withdrawn"
    ticket: Ticket
    loser: Office | User

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """The channel of who lost it."""
        return [ForChannel(self.loser.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Direct: nothing but the ticket's address is told, so there is one version."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Who lost the ticket is to hear it."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return which ticket."""
        return {"ticket": {"uuid": str(self.ticket.uuid)}}


@dataclass(frozen=True)
class Rehearsal(Event):
    """A test event: told like the real one, marked `test`, and applied by no page."""

    event: TicketEvent

    @property
    def broadcast_as(self) -> str:  # type: ignore[override]
        """The name of what it rehearses."""
        return self.event.broadcast_as

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """The channels of what it rehearses."""
        return self.event.broadcast_on()

    def broadcast_to(self) -> Audience | OnlyAudience:
        """The audience of what it rehearses."""
        return self.event.broadcast_to()

    def broadcast_guard(self) -> str:
        """The guard of what it rehearses."""
        return self.event.broadcast_guard()

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return its data without a sequence, since nothing happened."""
        data = self.event.broadcast_with(audience) | {"test": True}
        del data["seq"]
        return data

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Shorten as the real one does."""
        return self.event.shorten(data)
