"""Tickets that people follow, or have muted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from realtime import Audience, Event, ForChannel, publish
from tickets import policies
from tickets.models import Ticket, TicketSubscription

Level = TicketSubscription.Level


@dataclass(frozen=True)
class TicketSubscribed(Event):
    """A person follows a ticket, has muted it, or neither. Only they receive it."""

    broadcast_as = "ticket.subscribed"
    ticket: Ticket
    user: User
    level: str

    def broadcast_on(self) -> Sequence[str | ForChannel]:
        """Return the person's own channel."""
        return [ForChannel(self.user.channel, Audience.STAFF)]

    def broadcast_to(self) -> Audience:
        """Use one version: there is one recipient."""
        return Audience.STAFF

    def broadcast_guard(self) -> str:
        """Replay without a guard: it says only what the person chose."""
        return ""

    def broadcast_with(self, audience: Audience) -> dict[str, Any]:
        """Return the ticket and the level, empty for neither."""
        return {"ticket": {"uuid": str(self.ticket.uuid)}, "level": self.level}


def level_of(user: User, ticket: Ticket) -> str:
    """Return whether `user` follows `ticket` or has muted it; "" for neither."""
    level = TicketSubscription.objects.filter(user=user, ticket=ticket).values_list("level", flat=True).first()
    return level or ""


@transaction.atomic
def set_level(ticket: Ticket, *, by: User, level: str) -> None:
    """Follow or mute a ticket, or neither if `level` is empty. Raises PermissionDenied."""
    if level == Level.FOLLOWED and not policies.is_staff_of(by, ticket):
        raise PermissionDenied(_("Only staff with access to this ticket can follow it."))
    if level:
        TicketSubscription.objects.update_or_create(user=by, ticket=ticket, defaults={"level": level})
    else:
        TicketSubscription.objects.filter(user=by, ticket=ticket).delete()
    publish(TicketSubscribed(ticket, by, level))


def follow_too(ticket: Ticket, other: Ticket) -> None:
    """Let the followers of `ticket` follow `other`, if they are staff of it and have not chosen a level there."""
    followers = TicketSubscription.objects.filter(ticket=ticket, level=Level.FOLLOWED).values("user")
    decided = TicketSubscription.objects.filter(ticket=other).values("user")
    for user in policies.staff_of(other).filter(pk__in=followers).exclude(pk__in=decided):
        set_level(other, by=user, level=Level.FOLLOWED)
