"""What the user has read, and what became of messages."""

from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Uuid
from tickets import policies
from tickets.api.examples import REPLY, request_example, response_example
from tickets.api.paging import paginate_rows
from tickets.api.parameters import AFTER, SIZE
from tickets.api.serializers import PersonSerializer
from tickets.api.views.tickets import fetch
from tickets.models import Reply
from tickets.reading import mark_read, mark_unread
from tickets.reading.deliveries import mark_delivered
from tickets.reading.receipts import State, receipts_of

STATE = (
    "the last of these that is proven: `saved`, `failed` (a mail could not be sent), `bounced` (it came back), "
    "`mailed`, `delivered` (one of their pages or clients has received it), `seen` (it was on the screen)."
)
SEEN: dict[str, Any] = {
    "reply": REPLY["id"],
    "state": "seen",
    "readers": [
        {
            "user": {"id": "5c1d2e3f-0a9b-4c8d-8e7f-6a5b4c3d2e1f", "name": "Casey Rivers", "role": "customer"},
            "state": "seen",
            "at": "2026-03-02T09:31:12.000Z",
        },
    ],
}


class ReaderSerializer(serializers.Serializer):  # type: ignore[misc]
    """What became of a message for one person."""

    user = PersonSerializer(help_text="The person.")
    state = serializers.ChoiceField([state.value for state in State], help_text=f"For them, {STATE}")
    at = serializers.DateTimeField(allow_null=True, help_text="Since when; null if the time is not known.")


class ReceiptSerializer(serializers.Serializer):  # type: ignore[misc]
    """What became of a message."""

    reply = serializers.UUIDField(
        allow_null=True, help_text="The id of the message; null for the ticket's first one."
    )
    state = serializers.ChoiceField(
        [state.value for state in State], help_text=f"For the people that the message is for, {STATE}"
    )
    readers = ReaderSerializer(many=True, help_text="Staff only: who has received or seen it, except its author.")


class ReceiptPage(serializers.Serializer):  # type: ignore[misc]
    """A page of receipts, in the order of the replies."""

    next = Address(allow_null=True, help_text="The URL of the next page; null on the last page.")
    results = ReceiptSerializer(many=True, help_text="The receipts.")


class ReadUpToSerializer(Body):
    """How far the user has read a ticket."""

    up_to = Uuid(allow_null=True, help_text="The last message that was on their screen; null for the first one.")


class DeliveredSerializer(Body):
    """How far a ticket's messages have reached the client."""

    reply = Uuid(help_text="The latest message that the client has received.")


class Receipts(ProjectAPIView):
    @extend_schema(
        operation_id="receipts",
        summary="List receipts",
        tags=["Conversation"],
        parameters=[AFTER, SIZE],
        responses=ReceiptPage,
        examples=[response_example("A message that was seen", {"next": None, "results": [SEEN]})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """List what became of messages.

        Staff of the ticket see who has received and seen each message, unless that person hides it; messages of
        customers that no one is known to have seen are left out. Others see of their own messages whether staff have
        seen them: `seen` or `saved`.
        """
        ticket = fetch(request, uuid)
        replies = policies.visible_replies(request.user, ticket)
        found, following = paginate_rows(request, replies, "number", of=f"receipts {uuid}")
        is_first = "after" not in request._request.GET
        receipts = receipts_of(request.user, ticket, found, opening=is_first, with_own=True)
        results = [{"reply": key, **receipt} for key, receipt in receipts.items() if receipt is not None]
        return serialized_response(ReceiptPage, {"next": following, "results": results}, request=request)


class ReadMark(ProjectAPIView):
    @extend_schema(
        operation_id="mark_read",
        summary="Mark a ticket read",
        tags=["Conversation"],
        request=ReadUpToSerializer,
        responses={204: None},
        examples=[request_example("Up to a reply", {"up_to": REPLY["id"]})],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Mark the messages up to one as read, on all devices of the user. A mark never moves back by this."""
        throttles.count("read", by=request.user)
        ticket = fetch(request, uuid)
        up_to = self.read(ReadUpToSerializer)["up_to"]
        mark_read(ticket, by=request.user, up_to=None if up_to is None else _reply(request, ticket, up_to))
        return Response(status=204)

    @extend_schema(
        operation_id="mark_unread", summary="Mark a ticket unread", tags=["Conversation"], responses={204: None}
    )
    def delete(self, request: Request, uuid: UUID) -> Response:
        """Mark the latest message of others unread. Receipts keep that it was seen."""
        mark_unread(fetch(request, uuid), by=request.user)
        return Response(status=204)


class Delivered(ProjectAPIView):
    @extend_schema(
        operation_id="mark_delivered",
        summary="Report a delivery",
        tags=["Conversation"],
        request=DeliveredSerializer,
        responses={204: None},
        examples=[request_example("A reply", {"reply": REPLY["id"]})],
    )
    def post(self, request: Request, uuid: UUID) -> Response:
        """Report that the client of a customer has received the messages up to one. Of staff nothing is recorded."""
        throttles.count("read", by=request.user)
        ticket = fetch(request, uuid)
        mark_delivered(_reply(request, ticket, self.read(DeliveredSerializer)["reply"]), by=request.user)
        return Response(status=204)


def _reply(request: Request, ticket: Any, reply_id: UUID) -> Reply:
    """Return a reply that the user may read, or raise Http404."""
    found: Reply = get_object_or_404(policies.visible_replies(request.user, ticket), pk=reply_id)
    return found
