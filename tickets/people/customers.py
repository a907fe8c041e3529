"""What staff see of a customer: the card on a ticket's page, the customer's own page, and the notes about them."""

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.text.lines import is_blank
from tickets import policies
from tickets.models import MAX_CUSTOMER_NOTE, CustomerNote, Organization, Ticket

MAX_TICKETS = 5
MAX_COUNTED = 99  # more are shown as "99+"
MAX_NOTES = 3


@dataclass(frozen=True)
class CustomerCard:
    """What `viewer` may see of a customer; each value is bounded."""

    person: User
    is_verified: bool
    tickets: list[Any]
    number: int  # of their other tickets, up to MAX_COUNTED + 1
    notes: list[CustomerNote]
    organization: Organization | None

    @property
    def has_more(self) -> bool:
        """Whether there are more tickets than the card lists."""
        return self.number > len(self.tickets)

    @property
    def counted(self) -> str:
        """The number of their other tickets."""
        return f"{MAX_COUNTED}+" if self.number > MAX_COUNTED else str(self.number)


def card_of(ticket: Ticket, *, viewer: User) -> CustomerCard | None:
    """Return the card of the ticket's customer for its staff, with five queries; None if the creator is staff."""
    person = ticket.creator
    if not person.is_customer or person.erased_at is not None:
        return None
    others = tickets_of(person, viewer=viewer).exclude(pk=ticket.pk)
    return _card(person, others, MAX_TICKETS, MAX_NOTES)


def whole_card_of(person: User, *, viewer: User) -> CustomerCard:
    """Return everything on the customer's own page."""
    return _card(person, tickets_of(person, viewer=viewer), MAX_COUNTED, MAX_COUNTED)


def tickets_of(person: User, *, viewer: User) -> QuerySet[Any]:
    """Return the tickets of a customer that `viewer` may see, latest change first."""
    return policies.listed_tickets(viewer).filter(creator=person).select_related("status", "office")


def notes_of(person: User, most: int = MAX_COUNTED) -> list[CustomerNote]:
    """Return the latest notes about a customer, latest first."""
    return list(CustomerNote.objects.filter(customer=person).select_related("author")[:most])


def _card(person: User, tickets: QuerySet[Any], most_tickets: int, most_notes: int) -> CustomerCard:
    verified = EmailAddress.objects.filter(user=person, email__iexact=person.email, verified=True).exists()
    number = tickets.order_by()[: MAX_COUNTED + 1].count()
    organization = Organization.objects.filter(members__user=person).first()
    return CustomerCard(
        person, verified, list(tickets[:most_tickets]), number, notes_of(person, most_notes), organization
    )


def add_customer_note(person: User, *, by: User, text: str) -> CustomerNote:
    """Write a note about a customer. Raises PermissionDenied, ValidationError."""
    if not policies.visible_customers(by).filter(pk=person.pk).exists():
        raise PermissionDenied(_("Only staff of one of their tickets can do that."))
    text = text.replace("\r\n", "\n").strip()
    if is_blank(text):
        raise ValidationError({"text": _("Enter a message.")})
    if len(text) > MAX_CUSTOMER_NOTE:
        raise ValidationError({"text": _("Use at most %(most)d characters.") % {"most": MAX_CUSTOMER_NOTE}})
    return CustomerNote.objects.create(customer=person, author=by, text=text)


def delete_customer_note(note: CustomerNote, *, by: User) -> None:
    """Delete a note. Raises PermissionDenied."""
    if not policies.can_delete_customer_note(by, note):
        raise PermissionDenied(_("Only the author or an admin can delete this."))
    note.delete()
