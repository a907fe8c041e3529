"""The card of a customer, and the notes about them: for staff of one of their tickets."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Text
from accounts.models import User
from tickets import policies
from tickets.api.examples import REPLY, TICKET, request_example, response_example
from tickets.api.paging import paginate_rows
from tickets.api.parameters import AFTER, SIZE
from tickets.api.serializers import CustomerSerializer, NamedSerializer
from tickets.api.views.notifications import NotifiedTicketSerializer
from tickets.models import MAX_CUSTOMER_NOTE, CustomerNote
from tickets.people import customers

NOTE = {
    "id": 1,
    "text": "Prefers to be called.",
    "author": {name: REPLY["user"][name] for name in ("id", "name")},
    "created_at": REPLY["created_at"],
    "can_be_deleted": True,
}
CARD = {
    "id": "5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f",
    "name": "Casey Rivers",
    "email": "casey@example.com",
    "is_verified": True,
    "is_active": True,
    "joined_at": TICKET["created_at"],
    "organization": "Acme",
    "number_of_tickets": 1,
    "tickets": [{name: TICKET[name] for name in ("uuid", "reference", "subject", "status", "office")}],
}


class CardTicketSerializer(NotifiedTicketSerializer):
    """A ticket of a customer."""

    status = serializers.CharField(help_text="Its status.")
    office = serializers.CharField(help_text="Its office.")


class CardSerializer(CustomerSerializer):
    """What staff see of a customer."""

    is_verified = serializers.BooleanField(help_text="Whether the address is verified.")
    is_active = serializers.BooleanField(help_text="Whether the account is active.")
    joined_at = serializers.DateTimeField(help_text="When the account was created.")
    organization = serializers.CharField(allow_null=True, help_text="The name of their organization.")
    number_of_tickets = serializers.IntegerField(help_text="Of the tickets that you may see; 100 is more than 99.")
    tickets = CardTicketSerializer(many=True, help_text="Of these the last ones changed, up to 99.")


class CustomerNoteSerializer(serializers.Serializer):  # type: ignore[misc]
    """A note about a customer."""

    id = serializers.IntegerField(help_text="Never changes.")
    text = serializers.CharField(help_text="What it says.")
    author = NamedSerializer(help_text="Who wrote it.")
    created_at = serializers.DateTimeField(help_text="When it was written.")
    can_be_deleted = serializers.BooleanField(help_text="Whether you may delete it.")


class CustomerNotePage(serializers.Serializer):  # type: ignore[misc]
    """A page of notes about a customer."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = CustomerNoteSerializer(many=True, help_text="The notes.")


class NewCustomerNoteSerializer(Body):
    """A note to write about a customer."""

    text = Text(max_length=MAX_CUSTOMER_NOTE, help_text="Plain text, which the customer never reads.")


class OneCustomer(ProjectAPIView):
    @extend_schema(
        operation_id="customer",
        summary="Read a customer's card",
        tags=["Customers"],
        responses=CardSerializer,
        examples=[response_example("A customer", CARD)],
    )
    def get(self, request: Request, person_id: UUID) -> Response:
        """Return what you may see of a customer. Only staff of one of their tickets may."""
        return serialized_response(CardSerializer, _card_data(_fetch(request, person_id), request.user))


class CustomerNotes(ProjectAPIView):
    @extend_schema(
        operation_id="customer_notes",
        summary="List notes about a customer",
        tags=["Customers"],
        parameters=[AFTER, SIZE],
        responses=CustomerNotePage,
        examples=[response_example("A note", {"next": None, "results": [NOTE]})],
    )
    def get(self, request: Request, person_id: UUID) -> Response:
        """List the notes about a customer, oldest first. Only staff of one of their tickets may."""
        notes = _fetch(request, person_id).customer_notes.select_related("author")
        found, following = paginate_rows(request, notes, "pk", of=f"customer {person_id}")
        page = {"next": following, "results": [_note_data(note, request.user) for note in found]}
        return serialized_response(CustomerNotePage, page, request=request)

    @extend_schema(
        operation_id="customer_note_create",
        summary="Add a note about a customer",
        tags=["Customers"],
        request=NewCustomerNoteSerializer,
        responses={201: CustomerNoteSerializer},
        examples=[request_example("A note", {"text": NOTE["text"]}), response_example("The note", NOTE, "201")],
    )
    def post(self, request: Request, person_id: UUID) -> Response:
        """Write a note about a customer, which staff of their tickets read and the customer never does."""
        person = _fetch(request, person_id)
        note = customers.add_customer_note(person, by=request.user, **self.read(NewCustomerNoteSerializer))
        return serialized_response(CustomerNoteSerializer, _note_data(note, request.user), status=201)


class OneCustomerNote(ProjectAPIView):
    @extend_schema(
        operation_id="customer_note_delete",
        summary="Delete a note about a customer",
        tags=["Customers"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, person_id: UUID, note_id: int) -> Response:
        """Delete a note. Its author may, and admins."""
        note = get_object_or_404(_fetch(request, person_id).customer_notes, pk=note_id)
        customers.delete_customer_note(note, by=request.user)
        return Response(status=204)


def _fetch(request: Request, person_id: UUID) -> User:
    return get_object_or_404(policies.visible_customers(request.user), pk=person_id)


def _card_data(person: User, viewer: User) -> dict[str, Any]:
    card = customers.whole_card_of(person, viewer=viewer)
    tickets = [
        {
            "uuid": ticket.uuid,
            "reference": ticket.reference,
            "subject": ticket.subject,
            "status": ticket.status.name,
            "office": ticket.office.name,
        }
        for ticket in card.tickets
    ]
    return {
        "id": person.pk,
        "name": person.name,
        "email": person.email,
        "is_verified": card.is_verified,
        "is_active": person.is_active,
        "joined_at": person.date_joined,
        "organization": card.organization and card.organization.name,
        "number_of_tickets": card.number,
        "tickets": tickets,
    }


def _note_data(note: CustomerNote, viewer: User) -> dict[str, Any]:
    author = {"id": note.author.pk, "name": note.author.name}
    return {
        "id": note.pk,
        "text": note.text,
        "author": author,
        "created_at": note.created_at,
        "can_be_deleted": policies.can_delete_customer_note(viewer, note),
    }
