"""The participants of a ticket."""

from uuid import UUID

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Body, Line
from realtime import Audience
from tickets import payloads, policies
from tickets.api.examples import REPLY, request_example, response_example
from tickets.api.serializers import PersonSerializer
from tickets.api.views.tickets import audience_for, fetch
from tickets.models import Participant, Ticket, participants_of
from tickets.people import participants

PERSON = {**REPLY["user"], "name": "Greta Lindqvist", "role": "customer", "email": "greta@example.com"}


class ParticipantSerializer(PersonSerializer):
    """A participant."""

    email = serializers.EmailField(required=False, help_text="Staff only: their email address.")


class NewParticipantSerializer(Body):
    """A person to add."""

    person = Line(
        max_length=400,
        help_text="An id or the whole name, an email address, or `Name <address>`; an unknown address gets an "
        "account.",
    )


class Participants(ProjectAPIView):
    @extend_schema(
        operation_id="participants",
        summary="List participants",
        tags=["Tickets"],
        responses=ParticipantSerializer(many=True),
        examples=[response_example("A participant", PERSON)],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List who takes part in a ticket beside its customer, in the order in which they were added."""
        ticket = fetch(request, uuid)
        audience = audience_for(request.user, ticket)
        found = [_data(each, ticket, audience) for each in participants_of(ticket)]
        return serialized_response(ParticipantSerializer, found, many=True)

    @extend_schema(
        operation_id="participant_add",
        summary="Add a participant",
        tags=["Tickets"],
        request=NewParticipantSerializer,
        responses={201: ParticipantSerializer},
        examples=[
            request_example("A new person", {"person": "Nora Neu <nora@example.com>"}),
            response_example("The participant", PERSON, "201"),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Add a person, who then reads the whole public conversation and may reply. Only staff of the ticket may.

        A request for someone who takes part already succeeds and changes nothing.
        """
        ticket = fetch(request, uuid)
        if not policies.can_add_participant(request.user, ticket):
            raise PermissionDenied(_("Only staff with access to this ticket can change it."))
        throttles.count("ticket", by=request.user)
        text = self.read(NewParticipantSerializer)["person"]
        person = participants.add_named_participant(ticket, text, by=request.user)
        data = _data(Participant(ticket=ticket, user=person), ticket, audience_for(request.user, ticket))
        return serialized_response(ParticipantSerializer, data, status=201)


class OneParticipant(ProjectAPIView):
    @extend_schema(
        operation_id="participant_remove",
        summary="Remove a participant",
        tags=["Tickets"],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, uuid: UUID, user_id: UUID) -> Response:
        """Remove a person: their access ends at once. Staff of the ticket may do it, and people for themselves."""
        ticket = fetch(request, uuid)
        person = get_object_or_404(ticket.participants.all(), user=user_id).user
        participants.remove_participant(ticket, by=request.user, person=person)
        return Response(status=204)


def _data(participant: Participant, ticket: Ticket, audience: Audience) -> dict[str, str | None]:
    person = payloads.user_payload(participant.user, ticket, audience)
    return person | {"email": participant.user.email} if audience is Audience.STAFF else person
