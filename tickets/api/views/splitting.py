"""A message that becomes a ticket of its own."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Body, Line, Row, Text
from accounts.policies import staffed_offices
from tickets import policies
from tickets.actors import Source
from tickets.api.examples import WHOLE_TICKET, request_example, response_example
from tickets.api.serializers import NAME_OR_ID, WholeTicketSerializer, whole_ticket_data
from tickets.api.views.links import STAFF_ONLY, fetch_staffed
from tickets.api.views.tickets import audience_for, fetch
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Reply, Ticket
from tickets.splitting import services


class NewSplitSerializer(Body):
    """The message that is split, and the new ticket."""

    reply = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The id of the reply or note; by default the ticket's first message.",
    )
    subject = Line(max_length=MAX_SUBJECT, help_text="A single line.")
    office = Row(
        staffed_offices,
        required=False,
        help_text=f"An office that you work in, by default that of the ticket. {NAME_OR_ID}",
    )
    content = Text(
        max_length=MAX_MESSAGE,
        required=False,
        help_text="Of a note, which needs it: the first message of the new ticket, for its customer.",
    )


class Split(ProjectAPIView):
    @extend_schema(
        operation_id="split",
        summary="Split a message into a new ticket",
        tags=["Tickets"],
        request=NewSplitSerializer,
        responses={201: WholeTicketSerializer},
        extensions=STAFF_ONLY,
        examples=[
            request_example("The first message", {"subject": "Late parcel"}),
            response_example("The new ticket", WHOLE_TICKET, "201"),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Open a ticket with a copy of a message and its files, and link both tickets.

        It is a ticket of the author if they are a customer, else of the ticket's customer. A note becomes a note.
        """
        ticket = fetch_staffed(request, uuid)
        throttles.count("ticket", by=request.user)
        values = {"reply": None, **self.read(NewSplitSerializer)}
        reply = _reply(request, ticket, values.pop("reply"))
        created = services.split_message(ticket, reply, by=request.user, source=Source.API, **values)
        created = fetch(request, created.uuid)
        data = whole_ticket_data(created, audience_for(request.user, created))
        headers = {"Location": reverse("api:ticket", args=[created.uuid])}
        return serialized_response(WholeTicketSerializer, data, status=201, request=request, headers=headers)


def _reply(request: Request, ticket: Ticket, key: UUID | None) -> Reply | None:
    if key is None:
        return None
    reply = policies.visible_replies(request.user, ticket).filter(pk=key).first()
    if reply is None:
        raise ValidationError({"reply": _("The ticket has no such message.")})
    return reply
