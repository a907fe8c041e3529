"""Notifications of the user, and the tickets that they follow or have muted."""

from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import InvalidParameter, ProjectAPIView, reject_unknown_parameters, serialized_response
from accounts.api.fields import Body, Flag, Uuid
from accounts.models import User
from tickets.api.examples import REPLY, TICKET, request_example, response_example
from tickets.api.paging import page_size
from tickets.api.parameters import SIZE, query
from tickets.api.serializers import PersonSerializer
from tickets.api.views.tickets import fetch
from tickets.models import NotificationKind
from tickets.notifications import groups, records, subscriptions
from tickets.notifications.payloads import notification_payload

KINDS = [kind.value for kind in NotificationKind if kind != NotificationKind.RECEIPT]
GROUPING = (
    "`ticket` for one result instead of all unread notifications of a ticket, and one instead of all read ones: that "
    "which concerns the user themselves, such as a mention, or else the latest, with `id` and time of the latest."
)
EXAMPLE = {
    "id": "b3a1f0c2-6d5e-4f7a-9b8c-0d1e2f3a4b5c",
    "kind": "customer_reply",
    "ticket": {name: TICKET[name] for name in ("uuid", "reference", "subject")},
    "reply": REPLY["id"],
    "by": REPLY["user"],
    "created_at": REPLY["created_at"],
    "is_read": False,
    "count": 1,
}
GROUP = query("group", {"type": "string", "enum": ["ticket"]}, GROUPING)


class NotifiedTicketSerializer(serializers.Serializer):  # type: ignore[misc]
    """The ticket of a notification."""

    uuid = serializers.UUIDField(help_text="The id used in URLs.")
    reference = serializers.CharField(help_text="The code that people use.")
    subject = serializers.CharField(help_text="The subject.")


class NotificationSerializer(serializers.Serializer):  # type: ignore[misc]
    """A notification."""

    id = serializers.UUIDField(help_text="The id to mark it read.")
    kind = serializers.ChoiceField(KINDS, help_text="What the user is notified of.")
    ticket = NotifiedTicketSerializer(help_text="The ticket.")
    reply = serializers.UUIDField(allow_null=True, help_text="The id of the message; null if it is about none.")
    by = PersonSerializer(allow_null=True, help_text="Who did it; null for the system.")
    created_at = serializers.DateTimeField(help_text="When it happened.")
    is_read = serializers.BooleanField(help_text="Whether the user has read it.")
    count = serializers.IntegerField(help_text="How many it stands for: more than 1 only with `group=ticket`.")


class NotificationPage(serializers.Serializer):  # type: ignore[misc]
    """The latest notifications."""

    unread = serializers.IntegerField(help_text="How many are unread; 100 stands for more than 99.")
    results = NotificationSerializer(many=True, help_text="The notifications, latest first.")


class ReadSerializer(Body):
    """What to mark read."""

    ids = serializers.ListField(child=Uuid(), allow_null=True, max_length=100, help_text="Their ids; null for all.")
    earlier = Flag(default=False, help_text="Also the earlier notifications of their tickets.")


class SubscriptionSerializer(Body):
    """Whether the user follows a ticket or has muted it."""

    required_in_patch = ("level",)
    level = serializers.ChoiceField(
        ["", *subscriptions.Level.values], help_text="`followed` (staff), `muted`, or empty for neither."
    )


class Notifications(ProjectAPIView):
    @extend_schema(
        operation_id="notifications",
        summary="List notifications",
        tags=["Notifications"],
        parameters=[SIZE, GROUP],
        responses=NotificationPage,
        examples=[response_example("A notification", {"unread": 1, "results": [EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        """List the latest notifications of the user that they may still see, latest first."""
        asked = request._request.GET
        reject_unknown_parameters(asked, "size", "group")
        read = _grouped if _is_grouped(asked) else _single
        found = read(request.user, page_size(asked))
        data = {"unread": records.unread_number(request.user), "results": [_data(each) for each in found]}
        return serialized_response(NotificationPage, data)


class ReadNotifications(ProjectAPIView):
    @extend_schema(
        operation_id="notifications_read",
        summary="Mark notifications read",
        tags=["Notifications"],
        request=ReadSerializer,
        responses={204: None},
        examples=[request_example("One", {"ids": [EXAMPLE["id"]]})],
    )
    def post(self, request: Request) -> Response:
        """Mark notifications read; ids that are not the user's change nothing."""
        sent = self.read(ReadSerializer)
        records.mark_read(request.user, sent["ids"], with_earlier=sent["earlier"])
        return Response(status=204)


class Subscription(ProjectAPIView):
    @extend_schema(
        operation_id="subscription",
        summary="Read whether a ticket is followed or muted",
        tags=["Notifications"],
        responses=SubscriptionSerializer,
        examples=[response_example("Followed", {"level": "followed"})],
    )
    def get(self, request: Request, uuid: UUID) -> Response:
        """Return whether the user follows the ticket or has muted it."""
        level = subscriptions.level_of(request.user, fetch(request, uuid))
        return serialized_response(SubscriptionSerializer, {"level": level})

    @extend_schema(
        operation_id="subscription_update",
        summary="Follow or mute a ticket",
        tags=["Notifications"],
        request=SubscriptionSerializer,
        responses=SubscriptionSerializer,
        examples=[request_example("Mute", {"level": "muted"}), response_example("Muted", {"level": "muted"})],
    )
    def patch(self, request: Request, uuid: UUID) -> Response:
        """Follow a ticket, mute it, or neither."""
        ticket = fetch(request, uuid)
        level = self.read(SubscriptionSerializer)["level"]
        subscriptions.set_level(ticket, by=request.user, level=level)
        return serialized_response(SubscriptionSerializer, {"level": level})


def _is_grouped(asked: QueryDict) -> bool:
    """Return whether `group` asks for one result a ticket. Raises InvalidParameter."""
    if asked.get("group", "ticket") != "ticket":
        raise InvalidParameter({"group": [_("Must be “ticket”.")]})
    return "group" in asked


def _single(user: User, size: int) -> list[dict[str, Any]]:
    return [notification_payload(each) | {"count": 1} for each in records.listed(user)[:size]]


def _grouped(user: User, size: int) -> list[dict[str, Any]]:
    return [entry.payload() for entry in groups.entries(user, groups.groups_of(user)[:size])]


def _data(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"reply": data["reply"] and data["reply"]["id"]}
