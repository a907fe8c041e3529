"""What being merged means for a locked ticket: what is refused, and how it ends."""

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience
from tickets import policies, signals
from tickets.actors import Source
from tickets.locking import save_with_sequence
from tickets.models import Ticket, TimelineEntry
from tickets.signals import Change

Action = TimelineEntry.Action


def require_not_merged(ticket: Ticket) -> None:
    """Raise ValidationError for a ticket that was merged into another one: it does not change any more."""
    if ticket.is_merged:
        text = _("This ticket was merged into another one. Undo the merge to change it.")
        raise ValidationError(text, code="merged")


def admit_message(ticket: Ticket, *, by: User, source: Source) -> None:
    """End the merge of a ticket by a message that has no other place, else raise ValidationError.

    That is a message of a customer who may not open the other ticket, and every mail: its sender can't be asked.
    """
    if not ticket.is_merged:
        return
    if source != Source.MAIL and not policies.ends_merge(by, ticket):
        raise ValidationError(_("This ticket was merged into another one. Write your message there."), code="merged")
    end_merge(ticket, by=by)


def begin_merge(ticket: Ticket, target: Ticket, *, by: User) -> None:
    """Merge a locked ticket into `target`."""
    ticket.merged_into, ticket.merged_by, ticket.merged_at = target, by, timezone.now()
    _record(ticket, by, Action.MERGED)


def end_merge(ticket: Ticket, *, by: User) -> None:
    """End the merge of a locked ticket; its status stays."""
    ticket.merged_into = ticket.merged_by = ticket.merged_at = ticket.status_before_merge = None
    _record(ticket, by, Action.UNMERGED)


def _record(ticket: Ticket, by: User, action: TimelineEntry.Action) -> None:
    """Record the change for staff of the ticket. It does not name the other one, which not all of them may see."""
    ticket.version += 1
    save_with_sequence(ticket, Audience.STAFF)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[Change(action.value, None, None)])
