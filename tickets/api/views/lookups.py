"""Choices for forms: statuses, priorities and assignees."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import customers, throttles
from accounts.api.base import ProjectAPIView, reject_unknown_parameters, serialized_response
from accounts.policies import visible_users
from tickets import policies
from tickets.api.examples import REPLY, response_example
from tickets.api.serializers import ChoiceSerializer, CustomerSerializer, NamedSerializer, StatusSerializer
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


QUERY = {"type": "string", "minLength": 1}


class Customers(ProjectAPIView):
    @extend_schema(
        operation_id="customers",
        summary="Customers",
        tags=["Look-ups"],
        parameters=[OpenApiParameter("q", QUERY, description="Parts of the name or the address.")],
        responses=CustomerSerializer(many=True),
        examples=[
            response_example("A customer", {**REPLY["user"], "name": "Casey Rivers", "email": "casey@example.com"})
        ],
    )
    def get(self, request: Request) -> Response:
        """List up to ten active people whose name or address has all words of `q`. For customers it is empty."""
        reject_unknown_parameters(request._request.GET, "q")
        throttles.count("search", by=request.user)
        text = request._request.GET.get("q", "").strip()
        found = customers.found_people(request.user, text)[: customers.MAX_FOUND] if text else []
        return serialized_response(CustomerSerializer, found, many=True)


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
