"""Change what people may do, and hand on the open tickets of staff who leave: to a colleague, or to no one."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.dispatch import receiver
from django.utils.translation import gettext as _

from accounts import policies as accounts_policies
from accounts.models import Office, User
from accounts.sign_in import sessions
from accounts.signals import access_changed
from tickets import payloads, policies, signals
from tickets.models import Ticket
from tickets.signals import Change

BATCH_SIZE = 200  # tickets that are changed with the same queries
CHANGED_FIELDS = (
    "assigned_to",
    "version",
    "updated_at",
    "staff_seq",
    "public_updated_at",
    "public_seq",
)


class Stale(Exception):
    """The person has none of the versions that the client named."""


def version_of(person: User) -> str:
    """Return what a client has seen of a person: a digest, since admins and people change these in several places."""
    offices = sorted(office.pk for office in person.offices.all())
    seen = [person.name, person.role, person.is_active, offices]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def open_tickets(person: User | OuterRef) -> QuerySet[Ticket]:
    """Return the tickets assigned to `person` that are not closed."""
    return Ticket.objects.filter(assigned_to=person, closed_at=None)


def successors(person: User) -> QuerySet[User]:
    """Return the colleagues who can take on the tickets of `person`."""
    return policies.assignable_users().exclude(pk=person.pk)


@transaction.atomic
def change_person(
    person: User, *, by: User, values: Mapping[str, Any], if_versions: Container[str] | None = None
) -> None:
    """Change the given ones of `name`, `role`, `offices` and `is_active`, all or none.

    `hand_over_to` takes on the open tickets of one who is deactivated or becomes a customer. Raises PermissionDenied,
    ValidationError, and Stale if the person's version is not in `if_versions`.
    """
    person = _lock_with_admins(person)
    if if_versions is not None and version_of(person) not in if_versions:
        raise Stale
    to, role = values.get("hand_over_to"), values.get("role", person.role)
    is_active = values.get("is_active", person.is_active)
    if to is not None and is_active and role != User.Role.CUSTOMER:
        text = _("Tickets are handed over when a person is deactivated or becomes a customer.")
        raise ValidationError({"hand_over_to": text})
    if values.get("offices") and role != User.Role.AGENT:
        raise ValidationError({"offices": _("Only agents work in offices.")})
    name, offices = values.get("name", person.name), values.get("offices", person.offices.all())
    update_person(person, by=by, name=name, role=role, offices=offices, to=to)
    if is_active and not person.is_active:
        activate(person, by=by)
    elif person.is_active and not is_active:
        deactivate(person, by=by, to=to)


@transaction.atomic
def update_person(
    person: User, *, by: User, name: str, role: str, offices: Iterable[Office], to: User | None = None
) -> None:
    """Change name, role and, of an agent, offices; one who becomes a customer hands over to `to`, or to no one.

    Raises PermissionDenied, ValidationError.
    """
    if not accounts_policies.can_manage_users(by) or person.erased_at is not None:
        raise PermissionDenied
    if by == person and role != person.role:
        raise PermissionDenied(_("Only another admin can remove your admin role."))
    if role != User.Role.ADMIN:
        _require_another_admin(person, "role")
    if role == User.Role.CUSTOMER:
        hand_over(person, by=by, to=to)
    person.name, person.role = name, role
    person.save(update_fields=["name", "role"])
    person.offices.set(offices if person.is_agent else [])


@transaction.atomic
def activate(person: User, *, by: User) -> None:
    """Let a deactivated person sign in again. Raises PermissionDenied."""
    if not accounts_policies.can_manage_users(by) or person.erased_at is not None:
        raise PermissionDenied
    person.is_active = True
    person.save(update_fields=["is_active"])


@transaction.atomic
def deactivate(person: User, *, by: User | None = None, to: User | None = None) -> int:
    """Deactivate `person`, end their sessions, and hand on their open tickets. Return their number.

    Without `by` an operator does it. Raises PermissionDenied, ValidationError.
    """
    if by is not None and (by == person or not accounts_policies.can_manage_users(by)):
        raise PermissionDenied(_("Only another admin can deactivate people."))
    _require_another_admin(person, "is_active")
    number = hand_over(person, by=by, to=to)
    person.is_active = False
    person.save(update_fields=["is_active"])
    sessions.end_other_sessions(person, None)
    return number


@transaction.atomic
def hand_over(person: User, *, by: User | None = None, to: User | None = None) -> int:
    """Assign the open tickets of `person` to `to`, or to no one. Return their number.

    Without `by` the timeline names `person`. Raises ValidationError.
    """
    if to is not None and not successors(person).filter(pk=to.pk).exists():
        raise ValidationError({"hand_over_to": _("Tickets can only be assigned to active agents and admins.")})
    number = 0
    for tickets in _locked_batches(person):
        for ticket in tickets:
            ticket.assigned_to = to
            ticket.version += 1
            ticket.advance(payloads.audience_of_change(Change("assigned_to", person, to), ticket))
        Ticket.objects.bulk_update(tickets, CHANGED_FIELDS)
        signals.tickets_handed_over.send(Ticket, tickets=tickets, by=by or person, before=person, after=to)
        number += len(tickets)
    return number


def _lock_with_admins(person: User) -> User:
    """Lock a person and all admins, in one order: two admins who change each other wait here. Return the person."""
    rows = User.objects.select_for_update().filter(Q(pk=person.pk) | Q(role=User.Role.ADMIN)).order_by("pk")
    return next(row for row in rows if row.pk == person.pk)


def _require_another_admin(person: User, field: str) -> None:
    """Raise ValidationError about `field` for the last active admin."""
    _lock_with_admins(person)
    if person.is_admin and person.is_active and not accounts_policies.other_admins(person).exists():
        raise ValidationError({field: _("At least one active admin is required.")})


def _locked_batches(person: User) -> Iterator[list[Ticket]]:
    """Yield the open tickets in batches: locked, then read, since a join read while waiting would be stale."""
    while True:
        locked = open_tickets(person).select_for_update().order_by("pk").values_list("pk", flat=True)
        found = Ticket.objects.filter(pk__in=list(locked[:BATCH_SIZE]))
        found = found.select_related(*Ticket.RELATED).prefetch_related("participants", "tags").order_by("pk")
        tickets = list(found.defer(*Ticket.MESSAGE_FIELDS))
        if not tickets:
            return
        yield tickets


@receiver(access_changed)
def release_tickets(users: list[Any], **_: Any) -> None:
    """Unassign the open tickets of users who can no longer work on them, however their access was changed."""
    open_now = Ticket.objects.filter(assigned_to__in=users, closed_at=None)
    assigned = User.objects.filter(pk__in=open_now.values("assigned_to"))
    for person in assigned.exclude(pk__in=policies.assignable_users().values("pk")):
        hand_over(person)
