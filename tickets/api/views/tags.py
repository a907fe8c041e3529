"""Tags: staff list them, admins change them. Customers never see one."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import throttles
from accounts.api.base import ProjectAPIView, reject_unknown_parameters, serialized_response
from accounts.api.fields import Body, Line, OneOf
from accounts.models import User
from tickets import policies
from tickets.api.examples import request_example, response_example
from tickets.api.serializers import TagSerializer
from tickets.models import Tag, TagColor
from tickets.tags import services

EXAMPLE = {"id": 1, "name": "refund", "color": "red"}
STAFF_ONLY = {"x-problems": {"403": "You are a customer."}}
ADMINS_ONLY = {"x-problems": {"403": "You are not an admin."}}
INTO = OpenApiParameter(
    "into",
    {"type": "string", "pattern": "^[0-9]{1,9}$"},
    description="The id of the tag that its tickets get instead; without it they only lose this one.",
)


class NewTagSerializer(Body):
    """A tag to add."""

    name = Line(max_length=40, help_text="No other tag has it, in any case.")
    color = OneOf(choices=TagColor.values, required=False, help_text="A name; `gray` by default.")


class TagChangesSerializer(NewTagSerializer):
    """The fields to change."""

    name = Line(max_length=40, required=False, help_text="No other tag has it, in any case.")


class Tags(ProjectAPIView):
    @extend_schema(
        operation_id="tags",
        summary="Tags",
        tags=["Tags"],
        responses=TagSerializer(many=True),
        extensions=STAFF_ONLY,
        examples=[response_example("A tag", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """List the tags by name. Staff only."""
        if request.user.is_customer:
            raise PermissionDenied
        return serialized_response(TagSerializer, Tag.objects.all(), many=True)

    @extend_schema(
        operation_id="tag_create",
        summary="Add a tag",
        tags=["Tags"],
        request=NewTagSerializer,
        responses={201: TagSerializer},
        extensions=ADMINS_ONLY,
        examples=[
            request_example("A tag", {"name": "refund", "color": "red"}),
            response_example("The tag", EXAMPLE, "201"),
        ],
    )
    def post(self, request: Request) -> Response:
        """Add a tag. Only admins may; agents add new ones by putting them on tickets."""
        _require_admin(request.user)
        return _saved(request, Tag(), self.read(NewTagSerializer), status=201)


class OneTag(ProjectAPIView):
    @extend_schema(
        operation_id="tag_change",
        summary="Change a tag",
        tags=["Tags"],
        request=TagChangesSerializer,
        responses=TagSerializer,
        extensions=ADMINS_ONLY,
        examples=[request_example("Rename it", {"name": "refund"}), response_example("The tag", EXAMPLE)],
    )
    def patch(self, request: Request, tag_id: int) -> Response:
        """Rename or recolour a tag, which open pages show at once. Only admins may."""
        _require_admin(request.user)
        return _saved(request, get_object_or_404(Tag, pk=tag_id), self.read(TagChangesSerializer, partial=True))

    @extend_schema(
        operation_id="tag_delete",
        summary="Delete or merge a tag",
        tags=["Tags"],
        parameters=[INTO],
        request=None,
        responses={204: None},
        extensions=ADMINS_ONLY,
    )
    def delete(self, request: Request, tag_id: int) -> Response:
        """Delete a tag; with `into` its tickets get that tag instead. Only admins may."""
        _require_admin(request.user)
        tag, query = get_object_or_404(Tag, pk=tag_id), request._request.GET
        reject_unknown_parameters(query, "into")
        services.delete_tag(tag, by=request.user, into=_replacement(query.get("into")))
        return Response(status=204)


def _replacement(key: str | None) -> Tag | None:
    """Return the tag with this key. Raises ValidationError if there is none."""
    if key is None:
        return None
    found = Tag.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 10 else None
    if found is None:
        raise serializers.ValidationError({"into": [_("This tag no longer exists.")]})
    return found


def _saved(request: Request, tag: Tag, values: dict[str, Any], *, status: int = 200) -> Response:
    throttles.count("ticket", by=request.user)
    for name, value in values.items():
        setattr(tag, name, value)
    services.save_tag(tag, by=request.user)
    return serialized_response(TagSerializer, tag, status=status)


def _require_admin(user: User) -> None:
    if not policies.can_configure(user):
        raise PermissionDenied(_("Only admins can change these settings."))
