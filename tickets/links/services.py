"""Link two related tickets, and remove the link."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience
from tickets import policies, signals
from tickets.locking import lock, require, save_with_sequence
from tickets.models import Ticket, TicketLink, TimelineEntry
from tickets.search import named_ticket
from tickets.signals import Change

MAX_LINKS = 50  # of a ticket, of those that its staff see

Action = TimelineEntry.Action


@transaction.atomic
def link_named_ticket(ticket: Ticket, typed: str, *, by: User) -> Ticket:
    """Link `ticket` to the ticket whose reference or page address is `typed`. Return that ticket.

    A ticket that `by` may not link is not distinguished from an unknown one.
    Raises PermissionDenied, ValidationError.
    """
    require(policies.is_staff_of(by, ticket), _("Only staff with access to this ticket can change it."))
    other = named_ticket(typed, user=by)
    if other is None or not policies.can_link(by, ticket, other):
        raise ValidationError({"ticket": _("None of the tickets that you can change has this reference.")})
    link_tickets(ticket, other, by=by)
    return other


@transaction.atomic
def link_tickets(ticket: Ticket, other: Ticket, *, by: User) -> None:
    """Link two tickets. Raises PermissionDenied, ValidationError."""
    if ticket.pk == other.pk:
        raise ValidationError({"ticket": _("This is the ticket itself. Enter the reference of another one.")})
    pair = _locked_pair(ticket, other, by)
    if TicketLink.objects.filter(**pair).exists():
        raise ValidationError({"ticket": _("These tickets are already linked.")})
    if any(policies.linked_tickets(by, each).count() >= MAX_LINKS for each in pair.values()):
        raise ValidationError({"ticket": _("A ticket can have %(most)d related tickets.") % {"most": MAX_LINKS}})
    TicketLink.objects.create(**pair, created_by=by)
    _record(pair, by, Action.LINKED)


@transaction.atomic
def unlink_tickets(ticket: Ticket, other: Ticket, *, by: User) -> bool:
    """Remove the link of two tickets; return whether there was one. Raises PermissionDenied."""
    pair = _locked_pair(ticket, other, by)
    number, _rows = TicketLink.objects.filter(**pair).delete()
    if number:
        _record(pair, by, Action.UNLINKED)
    return bool(number)


def _locked_pair(ticket: Ticket, other: Ticket, by: User) -> dict[str, Ticket]:
    """Lock both tickets, always in the same order, and return them as fields of their link."""
    first, second = (lock(each) for each in sorted((ticket, other), key=lambda each: each.pk))
    require(policies.can_link(by, first, second), _("Only staff with access to both tickets can link them."))
    return {"first": first, "second": second}


def _record(pair: dict[str, Ticket], by: User, action: TimelineEntry.Action) -> None:
    """Record the change in both tickets. It does not name the other one, which not all staff of a ticket may see."""
    for ticket in pair.values():
        save_with_sequence(ticket, Audience.STAFF)
        signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[Change(action.value, None, None)])
