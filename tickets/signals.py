"""The desk's internal event bus. Every verb sends one of these inside its transaction, always with `by`, the actor.

Receivers write rows or enqueue tasks, and do no I/O: what they do is rolled back with the verb.

ticket_created   ticket, by                       a ticket was opened
ticket_updated   ticket, by, changes              fields changed; `changes` is a list of `Change`
status_changed   ticket, by, before, after        two `Status`
reply_created    reply, by                        someone answered, or staff left a note
reply_deleted    reply, by                        a reply or note is about to be deleted
visibility_changed  reply, by                     a reply became a note, or a note a reply
ticket_deleted   ticket, by                       a ticket is about to be deleted
"""

from dataclasses import dataclass
from typing import Any

from django.dispatch import Signal

ticket_created = Signal()
ticket_updated = Signal()
status_changed = Signal()
reply_created = Signal()
reply_deleted = Signal()
visibility_changed = Signal()
ticket_deleted = Signal()


@dataclass(frozen=True)
class Change:
    """One field's value before and after: a model's instance, a text, or None."""

    field: str
    before: Any
    after: Any
