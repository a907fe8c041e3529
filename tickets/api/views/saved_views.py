"""Saved views: staff list them, and add, change, order and delete those that they may."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Address, Body, Line, OneOf, Row
from accounts.policies import staffed_offices
from tickets import policies
from tickets.api.examples import request_example, response_example
from tickets.configuration import saved_views
from tickets.models import MAX_QUERY, SavedView
from tickets.payloads import VIEW_READERS, view_payload
from tickets.views.list_views import usable_views

EXAMPLE = {
    "id": 1,
    "name": "Refunds",
    "query": "status=1&status=2&tag=4",
    "visible_to": "office",
    "office": "Billing",
    "position": 1,
    "html_url": "https://desk.example.com/tickets/?status=1&status=2&tag=4&view=1",
}
FORBIDDEN = {"x-problems": {"403": "You are a customer, or may only open this view."}}
QUERY = "Filters, search and order of the list, with the parameters of `tickets/`."


class SavedViewSerializer(serializers.Serializer):  # type: ignore[misc]
    """A saved view of the ticket list."""

    id = serializers.IntegerField(help_text="Stays when the view changes.")
    name = serializers.CharField(help_text="Its name.")
    query = serializers.CharField(help_text=f"{QUERY} Values are ids; `me` is the person who opens the view.")
    visible_to = serializers.ChoiceField(VIEW_READERS, help_text="For you, the agents of its office, or all staff.")
    office = serializers.CharField(allow_null=True, help_text="The name of its office; null if it is for no office.")
    position = serializers.IntegerField(source="order", help_text="Its place among those for the same people.")
    html_url = Address(help_text="The URL of its page.")


class NewViewSerializer(Body):
    """A view to add."""

    name = Line(max_length=60, help_text="A single line.")
    query = serializers.CharField(max_length=MAX_QUERY, required=False, allow_blank=True, help_text=QUERY)
    visible_to = OneOf(choices=VIEW_READERS, required=False, help_text="`me` by default; others by admins only.")
    office = Row(staffed_offices, required=False, help_text="By name or by id; `visible_to` is `office` then.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "office" in attrs:
            attrs.setdefault("visible_to", "office")
        if ("office" in attrs) != (attrs.get("visible_to") == "office"):
            raise serializers.ValidationError({"office": [_("Send an office with “office” in visible_to only.")]})
        return attrs


class ViewChangesSerializer(NewViewSerializer):
    """The fields to change."""

    name = Line(max_length=60, required=False, help_text="A single line.")
    position = serializers.IntegerField(
        min_value=1,
        max_value=saved_views.MAX_VIEWS,
        required=False,
        help_text="Its place among those it stands with.",
    )


class SavedViews(ProjectAPIView):
    @extend_schema(
        operation_id="views",
        summary="Saved views",
        tags=["Views"],
        responses=SavedViewSerializer(many=True),
        extensions=FORBIDDEN,
        examples=[response_example("A view", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """List your views, those of your offices and those for all staff. Staff only."""
        _require_staff(request)
        rows = [_data(view) for view in usable_views(request.user)]
        return serialized_response(SavedViewSerializer, rows, request=request, many=True)

    @extend_schema(
        operation_id="view_create",
        summary="Add a view",
        tags=["Views"],
        request=NewViewSerializer,
        responses={201: SavedViewSerializer},
        extensions=FORBIDDEN,
        examples=[
            request_example("A view", {"name": "Refunds", "query": "status=open&tag=refund"}),
            response_example("The view", EXAMPLE, "201"),
        ],
    )
    def post(self, request: Request) -> Response:
        """Add a view: for yourself or, as an admin, for an office or all staff."""
        _require_staff(request)
        return _saved(request, SavedView(owner=request.user), self.read(NewViewSerializer), status=201)


class OneSavedView(ProjectAPIView):
    @extend_schema(
        operation_id="view_change",
        summary="Change a view",
        tags=["Views"],
        request=ViewChangesSerializer,
        responses=SavedViewSerializer,
        extensions=FORBIDDEN,
        examples=[request_example("Rename it", {"name": "Refunds"}), response_example("The view", EXAMPLE)],
    )
    def patch(self, request: Request, view_id: int) -> Response:
        """Change or move a view, which open lists show at once. Those of offices and of all staff: admins only."""
        view = _fetch(request, view_id)
        values = self.read(ViewChangesSerializer, partial=True)
        return _saved(request, view, values)

    @extend_schema(
        operation_id="view_delete",
        summary="Delete a view",
        tags=["Views"],
        request=None,
        responses={204: None},
        extensions=FORBIDDEN,
    )
    def delete(self, request: Request, view_id: int) -> Response:
        """Delete a view. Those of offices and of all staff: admins only."""
        throttles.count("ticket", by=request.user)
        saved_views.delete(_fetch(request, view_id), by=request.user)
        return Response(status=204)


def _require_staff(request: Request) -> None:
    if request.user.is_customer:
        raise PermissionDenied


def _fetch(request: Request, view_id: int) -> SavedView:
    _require_staff(request)
    view: SavedView = get_object_or_404(policies.usable_views(request.user), pk=view_id)
    return view


def _saved(request: Request, view: SavedView, values: dict[str, Any], *, status: int = 200) -> Response:
    throttles.count("ticket", by=request.user)
    visible_to, office, position = (values.pop(name, None) for name in ("visible_to", "office", "position"))
    if visible_to is not None:
        view.owner, view.office = request.user if visible_to == "me" else None, office
    for name, value in values.items():
        setattr(view, name, value)
    saved_views.save(view, by=request.user, position=position)
    return serialized_response(SavedViewSerializer, _data(view), status=status, request=request)


def _data(view: SavedView) -> dict[str, Any]:
    payload = view_payload(view)
    return payload | {"query": view.query, "office": view.office and view.office.name, "html_url": payload["url"]}
