"""The related tickets of a ticket."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Line
from tickets import payloads, policies
from tickets.api.examples import TICKET, request_example, response_example
from tickets.api.views.tickets import fetch
from tickets.links import services
from tickets.models import Ticket

FIELDS = ("uuid", "reference", "url", "html_url", "subject", "status", "status_id", "is_closed")
RELATED = {name: TICKET[name] for name in FIELDS}
STAFF_ONLY = {"x-problems": {"403": "You are not staff of the ticket."}}


class RelatedTicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """A related ticket."""

    uuid = serializers.UUIDField(help_text="The id used in URLs.")
    reference = serializers.CharField(help_text="A short code to quote, such as K7F-Q2MD.")
    url = Address(help_text="Its URL in the API.")
    html_url = Address(help_text="The URL of its page.")
    subject = serializers.CharField(help_text="A single line.")
    status = serializers.CharField(help_text="The status's name.")
    status_id = serializers.IntegerField(help_text="The status's id, which stays when an admin renames it.")
    is_closed = serializers.BooleanField(help_text="Whether its status is a closed one.")


class NewLinkSerializer(Body):
    """A ticket to link."""

    ticket = Line(max_length=400, help_text="Its reference, or the address of its page.")


class Links(ProjectAPIView):
    @extend_schema(
        operation_id="links",
        summary="List related tickets",
        tags=["Tickets"],
        responses=RelatedTicketSerializer(many=True),
        extensions=STAFF_ONLY,
        examples=[response_example("A related ticket", RELATED)],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List the related tickets that you are staff of, the latest first. Staff of the ticket only."""
        ticket = fetch_staffed(request, uuid)
        found = [_data(each) for each in policies.linked_tickets(request.user, ticket)]
        return serialized_response(RelatedTicketSerializer, found, many=True, request=request)

    @extend_schema(
        operation_id="link_add",
        summary="Add a related ticket",
        tags=["Tickets"],
        request=NewLinkSerializer,
        responses={201: RelatedTicketSerializer},
        extensions=STAFF_ONLY,
        examples=[
            request_example("By reference", {"ticket": "K7F-Q2MD"}),
            response_example("The related ticket", RELATED, "201"),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Link another ticket, in both directions. You must be staff of both tickets."""
        ticket = fetch_staffed(request, uuid)
        throttles.count("ticket", by=request.user)
        typed = self.read(NewLinkSerializer)["ticket"]
        other = services.link_named_ticket(ticket, typed, by=request.user)
        return serialized_response(RelatedTicketSerializer, _data(other), status=201, request=request)


class OneLink(ProjectAPIView):
    @extend_schema(
        operation_id="link_remove",
        summary="Remove a related ticket",
        tags=["Tickets"],
        request=None,
        responses={204: None},
        extensions=STAFF_ONLY,
    )
    def delete(self, request: Request, uuid: UUID, linked_uuid: UUID) -> Response:
        """Remove the link between two tickets. You must be staff of both."""
        ticket = fetch_staffed(request, uuid)
        other = get_object_or_404(policies.linked_tickets(request.user, ticket), uuid=linked_uuid)
        if not services.unlink_tickets(ticket, other, by=request.user):
            raise Http404
        return Response(status=204)


def fetch_staffed(request: Request, uuid: UUID) -> Ticket:
    """Return a ticket that the user is staff of: 404 for one that they do not see, 403 for others."""
    ticket = fetch(request, uuid)
    if not policies.can_change(request.user, ticket):
        raise PermissionDenied(_("Only staff with access to this ticket can change it."))
    return ticket


def _data(ticket: Ticket) -> dict[str, object]:
    urls = {"url": reverse("api:ticket", args=[ticket.uuid]), "html_url": ticket.get_absolute_url()}
    return payloads.related_payload(ticket) | urls
