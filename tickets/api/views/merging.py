"""Where a ticket goes on, and what was merged into it."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Line
from tickets import policies
from tickets.api.examples import TICKET, request_example, response_example
from tickets.api.views.links import STAFF_ONLY, fetch_staffed
from tickets.api.views.tickets import audience_for, fetch
from tickets.merging import services
from tickets.merging.shown import merge_payload
from tickets.models import Ticket
from tickets.search import named_ticket

OTHER = {name: TICKET[name] for name in ("uuid", "reference", "url", "html_url", "subject")}
OTHER |= {"merged_by": "Bao Nguyen", "merged_at": "2026-05-04T09:30:00Z", "can_undo": True}
MERGED = {"is_merged": True, "into": OTHER, "merged": []}


class OtherTicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """The other ticket of a merge."""

    uuid = serializers.UUIDField(help_text="The id used in URLs.")
    reference = serializers.CharField(help_text="A short code to quote, such as K7F-Q2MD.")
    url = Address(help_text="Its URL in the API.")
    html_url = Address(help_text="The URL of its page.")
    subject = serializers.CharField(help_text="A single line.")
    merged_by = serializers.CharField(help_text="Who merged it, under the name that you may see.")
    merged_at = serializers.DateTimeField(help_text="When it was merged.")
    can_undo = serializers.BooleanField(help_text="Whether you can undo the merge now.")


class MergedTicketSerializer(OtherTicketSerializer):
    """A ticket that was merged into this one."""

    number = serializers.IntegerField(help_text="The number of its messages that you may read.")


class MergeSerializer(serializers.Serializer):  # type: ignore[misc]
    """The merges of a ticket, as far as you may see the other tickets."""

    is_merged = serializers.BooleanField(help_text="Whether it was merged into another ticket that you may know of.")
    into = OtherTicketSerializer(
        allow_null=True, help_text="The ticket in which it goes on; null if you don't see it."
    )
    merged = MergedTicketSerializer(many=True, help_text="The tickets that were merged into it, also through others.")


class NewMergeSerializer(Body):
    """The ticket to merge into."""

    into = Line(max_length=400, help_text="Its reference, or the address of its page.")
    add_customer = serializers.BooleanField(
        default=False, help_text="Whether the customer of the merged ticket becomes a participant of the other one."
    )


class Merge(ProjectAPIView):
    @extend_schema(
        operation_id="merge",
        summary="Read the merges of a ticket",
        tags=["Tickets"],
        responses=MergeSerializer,
        examples=[response_example("A merged ticket", MERGED)],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """Return the ticket in which a merged one goes on, and the tickets that were merged into it."""
        return _response(request, fetch(request, uuid))

    @extend_schema(
        operation_id="merge_into",
        summary="Merge a ticket into another",
        tags=["Tickets"],
        request=NewMergeSerializer,
        responses=MergeSerializer,
        extensions=STAFF_ONLY,
        examples=[
            request_example("By reference", {"into": "K7F-Q2MD"}),
            response_example("The merged ticket", MERGED),
        ],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Merge the ticket into another one: it is closed, and takes no more messages or changes.

        No message moves, and no one reads more than before. You must be staff of both tickets.
        """
        ticket = fetch_staffed(request, uuid)
        throttles.count("ticket", by=request.user)
        values = self.read(NewMergeSerializer)
        target = named_ticket(values["into"], user=request.user)
        if target is None or not policies.can_merge(request.user, ticket, _whole(target)):
            text = _("None of the tickets that you can change has this reference.")
            raise ValidationError({"into": text})
        services.merge_tickets([ticket], target, by=request.user, add_customers=values["add_customer"])
        return _response(request, fetch(request, uuid))

    @extend_schema(
        operation_id="merge_undo",
        summary="Undo the merge of a ticket",
        tags=["Tickets"],
        request=None,
        responses={204: None},
        extensions=STAFF_ONLY,
    )
    def delete(self, request: Request, uuid: UUID) -> Response:
        """Undo the merge within a day: the ticket has its status again. You must be staff of both tickets."""
        ticket = fetch_staffed(request, uuid)
        if not ticket.is_merged:
            raise Http404
        services.undo_merge(ticket, by=request.user)
        return Response(status=204)


def _whole(ticket: Ticket) -> Ticket:
    """Return the ticket with what policies read: a search reads its key only."""
    ticket.refresh_from_db(fields=["office", "assigned_to"])
    return ticket


def _response(request: Request, ticket: Ticket) -> Response:
    data = merge_payload(request.user, ticket, audience_for(request.user, ticket))
    into = None if data["into"] is None else _with_urls(data["into"])
    shown = data | {"into": into, "merged": [_with_urls(each) for each in data["merged"]]}
    return serialized_response(MergeSerializer, shown, request=request)


def _with_urls(other: dict[str, Any]) -> dict[str, Any]:
    urls = {"url": reverse("api:ticket", args=[other["uuid"]]), "html_url": other["url"]}
    return other | urls | {"merged_by": other["by"], "merged_at": other["at"]}
