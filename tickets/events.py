"""The broadcast events of tickets: created, updated, replied to, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from accounts.models import Office, User
from realtime import Audience, Event, ForChannel, OnlyAudience
from tickets import payloads, policies
from tickets.actors import Actor
from tickets.models import CustomerNote, Reply, SavedView, Status, Tag, Ticket
from tickets.signals import Change


class TicketEvent(Event):
    """An event about one ticket, broadcast to everyone who may read that ticket."""

    if TYPE_CHECKING:

        @property
        def ticket(self) -> Ticket:
            """The ticket: a field of the subclass, or a property of it."""

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the part of the payload that is specific to this event."""
        raise NotImplementedError

    def actor_payload(self, actor: Actor, audience: Audience) -> dict[str, str | None]:
        """Return `actor` under the name that `audience` may see."""
        return payloads.actor_payload(actor, self.ticket, audience)

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channels of the ticket, its office and its people.

        A user channel carries the version that this user may read.
        """
        ticket = self.ticket
        channels: list[str | ForChannel] = [ticket.channel, ForChannel(ticket.office.channel, Audience.STAFF)]
        for user in policies.people_of(ticket):
            audience = policies.audience_of(user, ticket)
            if audience is not None:
                channels.append(ForChannel(user.channel, audience))
        return channels

    def broadcast_guard(self) -> str:
        """Replay only to users who may still read the ticket."""
        return self.ticket.channel

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the current ticket, the sequence number of `audience`, and the event's own data."""
        return {
            "ticket": payloads.ticket_payload(self.ticket, audience),
            "audience": audience.value,
            "seq": self.ticket.seq(audience),
            **self.body(audience),
        }


@dataclass(frozen=True)
class TicketCreated(TicketEvent):
    """A ticket was opened."""

    broadcast_as = "ticket.created"
    ticket: Ticket
    by: Actor

    def broadcast_to(self) -> Audience:
        """Broadcast to customers and staff."""
        return Audience.PUBLIC

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the user who opened it."""
        return {"created_by": self.actor_payload(self.by, audience)}


@dataclass(frozen=True)
class TicketUpdated(TicketEvent):
    """Fields of a ticket other than its status changed."""

    broadcast_as = "ticket.updated"
    ticket: Ticket
    by: Actor
    changes: Sequence[Change]

    def broadcast_to(self) -> Audience:
        """Broadcast to customers only if at least one change is visible to them."""
        audiences = [payloads.audience_of_change(change, self.ticket) for change in self.changes]
        return Audience.PUBLIC if Audience.PUBLIC in audiences else Audience.STAFF

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return {field: {from, to}} of the changes that `audience` may see."""
        visible = [
            change for change in self.changes if audience.includes(payloads.audience_of_change(change, self.ticket))
        ]
        changes = {change.field: payloads.change_payload(change, self.ticket, audience) for change in visible}
        return {"updated_by": self.actor_payload(self.by, audience), "changes": changes}


@dataclass(frozen=True)
class TicketReplyCreated(TicketEvent):
    """A reply or an internal note was added to a ticket."""

    broadcast_as = "ticket.reply.created"
    reply: Reply

    @property
    def ticket(self) -> Ticket:
        """The ticket of the conversation."""
        return self.reply.ticket

    def broadcast_to(self) -> Audience | OnlyAudience:
        """Broadcast a note to staff only."""
        return self.reply.audience

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the reply."""
        return {"reply": payloads.reply_payload(self.reply, audience)}

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Remove the message; pages fetch it from the reply's URL."""
        reply = {**data["reply"], "message": "", "message_html": "", "truncated": True}
        return {**data, "reply": reply, "truncated": True}

    def redacted(self, data: dict[str, Any]) -> dict[str, Any]:
        """Remove the message and the attachments; the log keeps the event itself, so that `seq` has no gap."""
        short = self.shorten(data)
        return {**short, "reply": {**short["reply"], "attachments": []}}


@dataclass(frozen=True)
class ReplyPublished(TicketReplyCreated):
    """A note was made public: customers receive it as a new reply."""

    def broadcast_to(self) -> OnlyAudience:
        """Broadcast to customers only; staff already have the message."""
        return OnlyAudience(Audience.PUBLIC)


@dataclass(frozen=True)
class TicketReplyUpdated(TicketReplyCreated):
    """The visibility of a message changed."""

    broadcast_as = "ticket.reply.updated"
    by: Actor

    def broadcast_to(self) -> Audience:
        """Broadcast to staff; customers receive `ReplyPublished` or `ReplyHidden` instead."""
        return Audience.STAFF

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the reply and the user who changed its visibility."""
        return super().body(audience) | {"updated_by": self.actor_payload(self.by, audience)}


@dataclass(frozen=True)
class TicketReplyEdited(TicketReplyCreated):
    """The author edited the text of a message; its readers receive it again."""

    broadcast_as = "ticket.reply.edited"


@dataclass(frozen=True)
class TicketReplyDeleted(TicketEvent):
    """A reply or note was deleted."""

    broadcast_as = "ticket.reply.deleted"
    reply: Reply
    by: Actor

    @property
    def ticket(self) -> Ticket:
        """The ticket of the conversation."""
        return self.reply.ticket

    def broadcast_to(self) -> Audience | OnlyAudience:
        """Broadcast to the audience that could read the message."""
        return self.reply.audience

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return the reply's id; to customers it never was a note."""
        is_internal = self.reply.is_internal and audience is Audience.STAFF
        return {
            "reply": {"id": str(self.reply.pk), "is_internal": is_internal},
            "deleted_by": self.actor_payload(self.by, audience),
        }


@dataclass(frozen=True)
class ReplyHidden(TicketReplyDeleted):
    """A reply was made internal: for customers it is deleted."""

    def broadcast_to(self) -> OnlyAudience:
        """Broadcast to customers only; staff keep the message."""
        return OnlyAudience(Audience.PUBLIC)


@dataclass(frozen=True)
class TicketStatusChanged(TicketEvent):
    """A ticket's status changed."""

    broadcast_as = "ticket.status.changed"
    ticket: Ticket
    by: Actor
    before: Status
    after: Status

    def broadcast_to(self) -> Audience:
        """Broadcast to customers and staff."""
        return Audience.PUBLIC

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return both statuses with their colours."""
        change = {"from": payloads.status_payload(self.before), "to": payloads.status_payload(self.after)}
        return {"status_change": change, "changed_by": self.actor_payload(self.by, audience)}


@dataclass(frozen=True)
class TicketPeopleUpdated(TicketEvent):
    """A person who appears in the ticket has another name: they were erased."""

    broadcast_as = "ticket.people.updated"
    ticket: Ticket
    audience: Audience

    def broadcast_to(self) -> Audience:
        """Broadcast to those who see the person there."""
        return self.audience

    def body(self, audience: Audience) -> dict[str, Any]:
        """Return nothing: pages load again what they show of people."""
        return {}


@dataclass(frozen=True)
class TicketWithdrawn(Event):
    """An office or a user lost access to a ticket, or the ticket was deleted. Carries its UUID only."""

    broadcast_as = "ticket.withdrawn"
    ticket: Ticket
    loser: Office | User

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channel of the office or user that lost access."""
        return [ForChannel(self.loser.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version for all recipients: the payload holds the UUID only."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: the recipient no longer passes the ticket's authorization."""
        return ""

    def broadcast_ordering_key(self) -> str:
        """Keep the order with the ticket's other events: access may have been granted before or after."""
        return self.ticket.channel

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket's UUID."""
        return {"ticket": {"uuid": str(self.ticket.uuid)}}


@dataclass(frozen=True)
class AccessReduced(Event):
    """A user lost access to tickets of other members of their organization; pages ask which they may still see."""

    broadcast_as = "ticket.access.reduced"
    loser: User

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channel of the user."""
        return [ForChannel(self.loser.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version: the payload holds nothing."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: it is the user's own channel."""
        return ""

    def broadcast_ordering_key(self) -> str:
        """Return none: pages ask for the present state, whatever came before."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return nothing: an organization has more tickets than an event can name."""
        return {}


@dataclass(frozen=True)
class CustomerNotesUpdated(Event):
    """A note about a customer was written or deleted. Carries no text: pages read the notes again."""

    broadcast_as = "customer.notes.updated"
    note: CustomerNote

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channel of the notes about the customer."""
        return [self.note.channel]

    def broadcast_to(self) -> Audience:
        """Broadcast to staff: there are no other subscribers."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay only to users who may still read the notes."""
        return self.note.channel

    def broadcast_ordering_key(self) -> str:
        """Return none: pages read the present notes."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the customer."""
        return {"customer": {"id": str(self.note.customer_id)}}


@dataclass(frozen=True)
class TagChanged(Event):
    """A tag got another name or colour, or was deleted: pages show its replacement, or none."""

    broadcast_as = "tag.changed"
    tag: Tag
    replacement: Tag | None

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channels of all offices: their subscribers are staff."""
        return [ForChannel(office.channel, Audience.STAFF) for office in Office.objects.all()]

    def broadcast_to(self) -> Audience:
        """Broadcast to staff."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: every member of staff may see all tags."""
        return ""

    def broadcast_ordering_key(self) -> str:
        """Keep the order of the changes of all tags: one may have replaced another."""
        return "tags"

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the key of the tag, and what replaces it."""
        shown = None if self.replacement is None else payloads.tag_payload(self.replacement)
        return {"tag": {"id": self.tag.pk}, "replacement": shown}


@dataclass(frozen=True)
class ViewChanged(Event):
    """A saved view was added, changed or moved; or taken from those it was for, who then have none instead."""

    broadcast_as = "view.changed"
    view: SavedView
    current: SavedView | None

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channel of its owner or office, or those of all offices: their subscribers are staff."""
        if self.view.owner is not None:
            return [ForChannel(self.view.owner.channel, Audience.STAFF)]
        offices = Office.objects.all() if self.view.office is None else [self.view.office]
        return [ForChannel(office.channel, Audience.STAFF) for office in offices]

    def broadcast_to(self) -> Audience:
        """Broadcast to staff."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: the channels are of those the view is for."""
        return ""

    def broadcast_ordering_key(self) -> str:
        """Keep the order of the changes of one view."""
        return f"views.{self.view.pk}"

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the key of the view, and what it is now."""
        shown = None if self.current is None else payloads.view_payload(self.current)
        return {"view": {"id": self.view.pk}, "current": shown}


@dataclass(frozen=True)
class TestEvent(Event):
    """A test event: broadcast like `event`, marked `test`, and applied by no page."""

    __test__ = False  # pytest would collect it
    event: TicketEvent

    @property
    def broadcast_as(self) -> str:  # type: ignore[override]
        """The name of the wrapped event."""
        return self.event.broadcast_as

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the channels of the wrapped event."""
        return self.event.broadcast_on()

    def broadcast_to(self) -> Audience | OnlyAudience:
        """Return the audience of the wrapped event."""
        return self.event.broadcast_to()

    def broadcast_guard(self) -> str:
        """Return the guard of the wrapped event."""
        return self.event.broadcast_guard()

    def broadcast_ordering_key(self) -> str:
        """Return none: the ticket is not locked, and a test has no place among its events."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the wrapped event's data without `seq`, since the ticket did not change."""
        data = self.event.broadcast_with(audience) | {"test": True}
        del data["seq"]
        return data

    def shorten(self, data: dict[str, Any]) -> dict[str, Any]:
        """Shorten as the wrapped event does."""
        return self.event.shorten(data)
