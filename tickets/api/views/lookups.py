"""What forms offer: statuses, priorities, and whom a ticket may be assigned to."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import DeskView, shown
from accounts.policies import known_people
from tickets import policies
from tickets.api.examples import REPLY, told
from tickets.api.serializers import ChoiceSerializer, NamedSerializer, StatusSerializer
from tickets.models import Priority, Status


class Statuses(DeskView):
    """Statuses."""

    @extend_schema(
        operation_id="statuses",
        summary="Statuses",
        tags=["Look-ups"],
        responses=StatusSerializer(many=True),
        examples=[
            told("Open", {"id": 1, "name": "Open", "color": "#2563eb", "is_default": True, "is_closed": False})
        ],
    )
    def get(self, request: Request) -> Response:
        """List where a ticket may stand, in the desk's order."""
        return shown(StatusSerializer, Status.objects.all(), many=True)


class Priorities(DeskView):
    """Priorities."""

    @extend_schema(
        operation_id="priorities",
        summary="Priorities",
        tags=["Look-ups"],
        responses=ChoiceSerializer(many=True),
        examples=[told("High", {"id": 3, "name": "High", "color": "#c2410c", "is_default": False})],
    )
    def get(self, request: Request) -> Response:
        """List how much a ticket may hurt, in the desk's order."""
        return shown(ChoiceSerializer, Priority.objects.all(), many=True)


class Assignees(DeskView):
    """People who answer tickets."""

    @extend_schema(
        operation_id="assignees",
        summary="Whom a ticket may be assigned to",
        tags=["Look-ups"],
        responses=NamedSerializer(many=True),
        examples=[told("A colleague", {"id": REPLY["user"]["id"], "name": REPLY["user"]["name"]})],
    )
    def get(self, request: Request) -> Response:
        """List the active agents and admins; customers, who assign nothing, get an empty list."""
        return shown(NamedSerializer, policies.assignable_people() & known_people(request.user), many=True)
