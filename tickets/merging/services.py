"""Merge tickets into another one, and undo that."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import policies, services
from tickets.locking import lock, require
from tickets.merging.state import begin_merge, end_merge
from tickets.models import Status, Ticket
from tickets.notifications.subscriptions import follow_too
from tickets.people.participants import add_participant

UNDO_PERIOD: Final = timedelta(days=1)
MAX_TICKETS: Final = 20  # that are merged at once


@transaction.atomic
def merge_tickets(tickets: Sequence[Ticket], target: Ticket, *, by: User, add_customers: bool = False) -> None:
    """Merge `tickets` into `target`, all or none; with `add_customers` their customers take part in `target`.

    No message moves: who may read one ticket only, reads as before. A merged ticket is closed, and does not change
    or take messages until the merge is undone.
    Raises PermissionDenied, ValidationError.
    """
    if len(tickets) > MAX_TICKETS:
        raise ValidationError(_("Select at most %(most)d tickets.") % {"most": MAX_TICKETS})
    keys = sorted({each.pk for each in (*tickets, target)})
    locked = {each.pk: each for each in (lock(Ticket(pk=key)) for key in keys)}  # in one order: no deadlocks
    into = locked[target.pk]
    _check_target(into, by)
    for ticket in tickets:
        _merge(locked[ticket.pk], into, by)
    if add_customers:
        for ticket in tickets:
            add_participant(into, by=by, person=locked[ticket.pk].creator)


@transaction.atomic
def undo_merge(ticket: Ticket, *, by: User) -> None:
    """Undo a merge of the last day: the ticket has its status again, and takes messages.

    Raises PermissionDenied, ValidationError.
    """
    ticket = lock(ticket)
    target = ticket.merged_into
    if target is None:
        raise ValidationError(_("This ticket is not merged."))
    require(policies.can_merge(by, ticket, target), _("Only staff with access to both tickets can merge them."))
    if not can_still_be_undone(ticket):
        raise ValidationError(_("A merge can be undone within a day only."))
    before = ticket.status_before_merge
    end_merge(ticket, by=by)
    services.update_ticket(ticket, by=by, values={"status": before or Status.default()})


def can_still_be_undone(ticket: Ticket) -> bool:
    """Return whether the ticket was merged within the last day."""
    return ticket.merged_at is not None and timezone.now() - ticket.merged_at < UNDO_PERIOD


def _check_target(target: Ticket, by: User) -> None:
    require(policies.is_staff_of(by, target), _("Only staff with access to both tickets can merge them."))
    if target.is_merged:
        reference = {"reference": target.reference}
        raise ValidationError(_("%(reference)s was merged itself. Choose the ticket it was merged into.") % reference)


def _merge(ticket: Ticket, target: Ticket, by: User) -> None:
    require(policies.can_merge(by, ticket, target), _("Only staff with access to both tickets can merge them."))
    if ticket.pk == target.pk:
        raise ValidationError(_("A ticket can't be merged into itself."))
    if ticket.is_merged:
        raise ValidationError(_("%(reference)s is merged already.") % {"reference": ticket.reference})
    before = ticket.status
    if not before.is_closed:
        ticket = services.update_ticket(ticket, by=by, values={"status": _closed_status()})
    ticket.status_before_merge = before
    begin_merge(ticket, target, by=by)
    follow_too(ticket, target)


def _closed_status() -> Status:
    status = Status.closing()
    if status is None:
        raise ValidationError(_("Tickets can only be merged where a status counts as closed."))
    return status
