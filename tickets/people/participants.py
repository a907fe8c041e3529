"""Add and remove the participants of a ticket."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import customers
from accounts.models import User
from realtime import Audience
from tickets import policies, signals
from tickets.actors import Source
from tickets.locking import lock, require, save_with_sequence
from tickets.merging.state import require_not_merged
from tickets.models import MAX_PARTICIPANTS, Ticket, participants_of
from tickets.signals import Change


@transaction.atomic
def add_participant(ticket: Ticket, *, by: User, person: User, source: Source = Source.PAGE) -> bool:
    """Add `person` to the participants of `ticket`; return whether they did not take part yet.

    Raises PermissionDenied, ValidationError.
    """
    ticket = lock(ticket)
    require(
        policies.can_add_participant(by, ticket, source), _("Only staff with access to this ticket can change it.")
    )
    if policies.takes_part(person, ticket):
        return False
    require_not_merged(ticket)
    if not person.is_active:
        raise ValidationError({"person": _("This account is deactivated.")})
    if len(participants_of(ticket)) >= MAX_PARTICIPANTS:
        raise ValidationError({"person": _("A ticket can have %(most)d participants.") % {"most": MAX_PARTICIPANTS}})
    ticket.participants.create(user=person, added_by=by)
    _record(ticket, by, Change("participants", None, person))
    return True


@transaction.atomic
def add_named_participant(ticket: Ticket, text: str, *, by: User) -> User:
    """Add the person that `text` names (see `customers.named_customer`), who may be new. Return them.

    Raises PermissionDenied, ValidationError.
    """
    require(policies.can_add_participant(by, ticket), _("Only staff with access to this ticket can change it."))
    try:
        person = customers.named_customer(text, by=by)
    except ValidationError as error:
        raise ValidationError({"person": error.messages}) from error
    if person.pk == ticket.creator_id:
        raise ValidationError({"person": _("This is the ticket's customer.")})
    add_participant(ticket, by=by, person=person)
    return person


@transaction.atomic
def remove_participant(ticket: Ticket, *, by: User, person: User) -> bool:
    """Remove `person` from the participants of `ticket`, whose access ends; return whether they were one.

    Raises PermissionDenied.
    """
    ticket = lock(ticket)
    require(
        policies.can_remove_participant(by, ticket, person), _("Only staff with access to this ticket can change it.")
    )
    number, _rows = ticket.participants.filter(user=person).delete()
    if number:
        _record(ticket, by, Change("participants", person, None))
    return bool(number)


def _record(ticket: Ticket, by: User, change: Change) -> None:
    """Send the signal of a change, with the ticket as it is now."""
    ticket = lock(ticket)
    ticket.version += 1
    save_with_sequence(ticket, Audience.PUBLIC)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])
