"""Receipts: what became of each message, from read marks, delivery marks and the records of mail."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import User
from realtime import Audience
from realtime.broadcasting.events import iso
from tickets import payloads, policies
from tickets.models import DeliveryMark, ReadMark, Reply, Ticket
from tickets.signals import receipts_collected

Receipts = dict[UUID | None, dict[str, Any] | None]


class State(StrEnum):
    """What became of a message for one person, or for all it is for: the last of these that is proven."""

    SAVED = "saved"
    FAILED = "failed"  # a mail could not be sent
    BOUNCED = "bounced"  # a mail came back
    MAILED = "mailed"
    DELIVERED = "delivered"  # one of their pages has received it
    SEEN = "seen"  # it was on the screen


RANKS = list(State)


@dataclass(frozen=True)
class SentMail:
    """A mail about a message to a customer, and what became of it."""

    reply_id: UUID | None
    recipient: User
    state: State
    at: datetime | None


@dataclass(frozen=True)
class _Message:
    """A reply, or the opening of a ticket with the number 0."""

    id: UUID | None
    number: int
    author: User
    is_internal: bool


@dataclass(frozen=True)
class _Known:
    """What is known of a message for one person."""

    user: User
    state: State
    at: datetime | None
    is_addressed: bool  # the message is for them, not only visible to them


def receipts_of(
    user: User, ticket: Ticket, replies: Iterable[Reply], *, opening: bool = True, with_own: bool = False
) -> Receipts:
    """Return what became of messages, as far as `user` may know: by the id of each reply, the opening as None.

    Staff of the ticket see who has received and seen a message, but for those who hide it. Others only see whether
    staff have seen a message of their own: no name, time or number, which would reveal when a note was read.
    `with_own` is whether staff find themselves among the readers: a page that is read would only name its reader.
    """
    messages = [_Message(reply.pk, reply.number, reply.author, reply.is_internal) for reply in replies]
    if opening:
        messages.insert(0, _Message(None, 0, ticket.creator, is_internal=False))
    if policies.audience_of(user, ticket) is Audience.STAFF:
        return _StaffView(ticket, without=None if with_own else user).of(messages)
    return _own(user, ticket, messages)


def _own(user: User, ticket: Ticket, messages: Sequence[_Message]) -> Receipts:
    """Return for the user's own messages whether staff have seen them."""
    seen = max((mark.seen_number for mark in _marks(ticket) if not _is_customer(mark.user, ticket)), default=-1)
    return {
        each.id: {"state": State.SEEN if each.number <= seen else State.SAVED, "readers": []}
        for each in messages
        if each.author.pk == user.pk
    }


class _StaffView:
    """What staff see of a ticket's messages."""

    def __init__(self, ticket: Ticket, *, without: User | None) -> None:
        self.ticket = ticket
        self.without = without
        self.marks = list(_marks(ticket))
        visible = Q(user__hides_read_marks=False, user__hides_online=False)
        self.deliveries = list(DeliveryMark.objects.filter(visible, ticket=ticket).select_related("user"))
        answers: Iterable[tuple[Any, Any]] = receipts_collected.send(Ticket, ticket=ticket)
        self.mails: list[SentMail] = [mail for _receiver, mails in answers for mail in mails]
        self.staff = set(policies.staff_of(ticket).values_list("pk", flat=True))

    def of(self, messages: Sequence[_Message]) -> Receipts:
        return {message.id: self._payload(message) for message in messages}

    def _payload(self, message: _Message) -> dict[str, Any] | None:
        """Return the receipt; None for a message to staff, which is not sent, that no one is known to have seen."""
        readers = sorted(self._readers(message), key=_order)
        addressed = [reader.state for reader in readers if reader.is_addressed]
        if not readers and self._is_to_staff(message):
            return None
        return {
            "state": max(addressed, key=RANKS.index, default=State.SAVED),
            "readers": [
                {
                    "user": payloads.user_payload(reader.user, self.ticket, Audience.STAFF),
                    "state": reader.state,
                    "at": reader.at and iso(reader.at),
                }
                for reader in readers
            ],
        }

    def _readers(self, message: _Message) -> list[_Known]:
        """Return the latest that is known of each person who may read the message."""
        latest: dict[Any, _Known] = {}
        for known in self._found(message):
            pk, before = known.user.pk, latest.get(known.user.pk)
            may_read = not message.is_internal or pk in self.staff
            if known.user in (message.author, self.without) or not may_read:
                continue
            if before is None or RANKS.index(before.state) < RANKS.index(known.state):
                latest[pk] = known
        return list(latest.values())

    def _found(self, message: _Message) -> Iterable[_Known]:
        is_to_staff = self._is_to_staff(message)

        def known(user: User, state: State, at: datetime | None) -> _Known:
            return _Known(user, state, at, is_addressed=_is_customer(user, self.ticket) is not is_to_staff)

        for mail in self.mails:
            if mail.reply_id == message.id:
                yield known(mail.recipient, mail.state, mail.at)
        for delivery in self.deliveries:
            if message.number <= delivery.number:
                at = delivery.delivered_at if message.number == delivery.number else None
                yield known(delivery.user, State.DELIVERED, at)
        for mark in self.marks:
            if message.number <= mark.seen_number:
                yield known(mark.user, State.SEEN, mark.seen_time(message.number))

    def _is_to_staff(self, message: _Message) -> bool:
        return message.is_internal or _is_customer(message.author, self.ticket)


def _order(reader: _Known) -> tuple[bool, int, datetime]:
    """Sort the people that the message is for first, then by what is proven, then by time."""
    at = reader.at or datetime.max.replace(tzinfo=UTC)
    return (not reader.is_addressed, -RANKS.index(reader.state), at)


def _marks(ticket: Ticket) -> Iterable[ReadMark]:
    return ReadMark.objects.filter(ticket=ticket, user__hides_read_marks=False).select_related("user")


def _is_customer(user: User, ticket: Ticket) -> bool:
    """Return whether a person reads the ticket as its customer does."""
    return user.is_customer or user.pk == ticket.creator_id
