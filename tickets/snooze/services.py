"""Snooze tickets, and bring them back."""

from datetime import datetime, timedelta
from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience
from tickets import policies, signals
from tickets.actors import Actor, System
from tickets.locking import lock, require, save_with_sequence
from tickets.models import Ticket
from tickets.signals import Change

LONGEST: Final = timedelta(days=366)


def set_snooze(ticket: Ticket, until: datetime | None, *, by: Actor) -> None:
    """Snooze a locked ticket, which `by` may change, until a time; None ends it. Raises ValidationError."""
    from tickets.tasks import end_snooze  # imports services

    before = ticket.snoozed_until
    if before == until:
        return
    if until is not None:
        _check(ticket, until)
        ticket.snoozed_by = by if isinstance(by, User) else None
        end_snooze.enqueue(key=f"{ticket.pk} {until.isoformat()}", run_at=until, ticket_id=ticket.pk)
    ticket.snoozed_until = until
    ticket.version += 1
    save_with_sequence(ticket, Audience.STAFF)
    change = Change("snoozed_until", before, until)
    signals.ticket_updated.send(Ticket, ticket=ticket, by=by, changes=[change])


@transaction.atomic
def end_due_snooze(ticket: Ticket, *, by: System) -> bool:
    """End the snooze of `ticket` if its time has come; return whether it had. Raises PermissionDenied."""
    ticket = lock(ticket)
    require(policies.can_end_snooze(by), _("Only staff with access to this ticket can change it."))
    if ticket.snoozed_until is None or ticket.snooze_end is not None:
        return False
    set_snooze(ticket, None, by=by)
    return True


def _check(ticket: Ticket, until: datetime) -> None:
    if ticket.status.is_closed:
        raise ValidationError({"snoozed_until": _("A closed ticket can't be snoozed.")})
    if not timezone.now() < until <= timezone.now() + LONGEST:
        raise ValidationError({"snoozed_until": _("Choose a time within the next year.")})
