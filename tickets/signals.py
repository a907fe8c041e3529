"""Signals of tickets. Each service sends one inside its transaction, always with `by`, the actor.

The actor is a user or the system (`tickets/actors.py`).

Receivers write rows or enqueue jobs, and do no I/O: a rollback of the service also undoes what they did.

ticket_created      ticket, by                    a ticket was opened
ticket_updated      ticket, by, changes           fields changed; `changes` is a list of `Change`
status_changed      ticket, by, before, after     `before` and `after` are statuses
reply_created       reply, by                     a reply or an internal note was added
reply_edited        reply, by                     the author edited the text of a reply or note
reply_deleted       reply, by                     a reply or note is about to be deleted
visibility_changed  reply, by                     a reply became a note, or a note a reply
ticket_deleted      ticket, by                    a ticket is about to be deleted
tickets_handed_over tickets, by, before, after    many tickets changed from one assignee to another, or to none
person_erased       person                        a person is being erased
ticket_read         ticket, by, number            the page of `by` has shown the messages up to `number`
tag_changed         tag, replacement              a tag changed (it is its own replacement), or is about to be deleted
view_changed        view, current                 a saved view changed; `current` is None for those who lose it
receipts_collected  ticket                        receivers return the mails about it, see `reading/receipts.py`
people_notified     notice                        people are notified of an event, see `notifications/recipients.py`
person_exported     person                        what is known of a person was exported
"""

from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal

ticket_created = Signal()
ticket_updated = Signal()
status_changed = Signal()
reply_created = Signal()
reply_edited = Signal()
reply_deleted = Signal()
visibility_changed = Signal()
ticket_deleted = Signal()
tickets_handed_over = Signal()
person_erased = Signal()
ticket_read = Signal()
people_notified = Signal()
person_exported = Signal()
receipts_collected = Signal()
tag_changed = Signal()
view_changed = Signal()


@dataclass(frozen=True)
class Change:
    """The value of one field before and after: a model instance, a text, or None."""

    field: str
    before: Any
    after: Any
