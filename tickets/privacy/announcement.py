"""Announce the new name of an erased person to the pages that show them."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Q

from accounts.models import DeskSettings, User
from realtime import Audience, publish_all
from tickets.events import TicketPeopleUpdated
from tickets.models import Reply, Ticket, TimelineEntry

BATCH_SIZE = 200  # tickets that are locked together


def announce_erasure(person: User) -> None:
    """Publish an event on each ticket that shows the person, batch by batch: others work on them meanwhile."""
    for keys in _batches(person):
        _announce(keys, person)


@transaction.atomic
def _announce(keys: list[int], person: User) -> None:
    list(Ticket.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))
    found = Ticket.objects.filter(pk__in=keys).select_related(*Ticket.RELATED).defer(*Ticket.MESSAGE_FIELDS)
    found = found.prefetch_related("participants", "tags")
    tickets, public = list(found.order_by("pk")), _publicly_shown(keys, person)
    events = []
    for ticket in tickets:
        audience = Audience.PUBLIC if ticket.pk in public else Audience.STAFF
        ticket.advance_sequence(audience)
        events.append(TicketPeopleUpdated(ticket, audience))
    Ticket.objects.bulk_update(tickets, ["staff_seq", "public_seq"])
    publish_all(events)


def _batches(person: User) -> Iterator[list[int]]:
    entries = TimelineEntry.objects.filter(Q(actor=person) | Q(from_user=person) | Q(to_user=person))
    shown = Q(creator=person) | Q(assigned_to=person) | Q(opened_by=person)
    shown |= Q(pk__in=Reply.objects.filter(author=person).values("ticket")) | Q(pk__in=entries.values("ticket"))
    keys = list(Ticket.objects.filter(shown).order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), BATCH_SIZE):
        yield keys[start : start + BATCH_SIZE]


def _publicly_shown(keys: list[int], person: User) -> set[int]:
    """Return the tickets whose customers see another name now. An event would reveal who only wrote notes."""
    own = Ticket.objects.filter(pk__in=keys, creator=person)
    if not person.is_customer and DeskSettings.current().staff_names == DeskSettings.StaffNames.OFFICE:
        return set(own.values_list("pk", flat=True))
    about = Q(actor=person) | Q(from_user=person) | Q(to_user=person)
    entries = TimelineEntry.objects.filter(about, ticket__in=keys, audience=Audience.PUBLIC)
    replies = Reply.objects.filter(author=person, ticket__in=keys, is_internal=False)
    assigned = Ticket.objects.filter(Q(assigned_to=person) | Q(opened_by=person), pk__in=keys)
    found = own.values_list("pk").order_by()
    found = found.union(
        assigned.values_list("pk").order_by(),
        entries.values_list("ticket").order_by(),
        replies.values_list("ticket").order_by(),
    )
    return {key for (key,) in found}
