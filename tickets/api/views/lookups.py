"""Choices for forms: statuses, priorities and assignees."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ProjectAPIView, serialized_response
from accounts.policies import visible_users
from tickets import policies
from tickets.api.examples import REPLY, response_example
from tickets.api.serializers import ChoiceSerializer, NamedSerializer, StatusSerializer
from tickets.models import Priority, Status


class Statuses(ProjectAPIView):
    @extend_schema(
        operation_id="statuses",
        summary="Statuses",
        tags=["Look-ups"],
        responses=StatusSerializer(many=True),
        examples=[
            response_example(
                "Open",
                {
                    "id": 1,
                    "name": "Open",
                    "color": "#2563eb",
                    "is_default": True,
                    "is_closed": False,
                    "awaits_customer": False,
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """List the statuses in their configured order."""
        return serialized_response(StatusSerializer, Status.objects.all(), many=True)


class Priorities(ProjectAPIView):
    @extend_schema(
        operation_id="priorities",
        summary="Priorities",
        tags=["Look-ups"],
        responses=ChoiceSerializer(many=True),
        examples=[response_example("High", {"id": 3, "name": "High", "color": "#c2410c", "is_default": False})],
    )
    def get(self, request: Request) -> Response:
        """List the priorities in their configured order."""
        return serialized_response(ChoiceSerializer, Priority.objects.all(), many=True)


class Assignees(ProjectAPIView):
    @extend_schema(
        operation_id="assignees",
        summary="Assignees",
        tags=["Look-ups"],
        responses=NamedSerializer(many=True),
        examples=[response_example("A colleague", {"id": REPLY["user"]["id"], "name": REPLY["user"]["name"]})],
    )
    def get(self, request: Request) -> Response:
        """List the active agents and admins; empty for customers."""
        return serialized_response(
            NamedSerializer, policies.assignable_users() & visible_users(request.user), many=True
        )
