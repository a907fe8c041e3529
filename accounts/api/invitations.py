"""API views of invitations, for admins."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as InvalidValues
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ProjectAPIView, serialized_response
from accounts.api.fields import Body, Line, OneOf, Row
from accounts.invitations import services
from accounts.models import Invitation, User
from accounts.policies import can_manage_users, staffed_offices

EXAMPLE = {
    "id": "5f4e3d2c-1b0a-4c9d-8e7f-6a5b4c3d2e1f",
    "email": "noor@example.com",
    "name": "Noor Haddad",
    "role": "agent",
    "offices": ["Billing"],
    "state": "open",
    "invited_by": "Ada Admin",
    "created_at": "2026-03-02T09:00:00Z",
    "expires_at": "2026-03-09T09:00:00Z",
}


class InvitationSerializer(serializers.Serializer):  # type: ignore[misc]
    """An invitation."""

    id = serializers.UUIDField(help_text="The id to revoke it, or to send it again.")
    email = serializers.EmailField(help_text="Where it was sent.")
    name = serializers.CharField(allow_blank=True, help_text="The name that the person may change; may be empty.")
    role = serializers.ChoiceField(User.Role.values, help_text="The role of the account.")
    offices = serializers.ListField(
        child=serializers.CharField(), source="offices.all", help_text="The names of an agent's offices."
    )
    state = serializers.ChoiceField(Invitation.State.values, help_text="Open and expired ones can be sent again.")
    invited_by = serializers.CharField(allow_null=True, help_text="The name of the admin.")
    created_at = serializers.DateTimeField(help_text="When it was sent first.")
    expires_at = serializers.DateTimeField(help_text="When its link ends.")


class NewInvitationSerializer(Body):
    """A new invitation."""

    email = serializers.EmailField(max_length=254, help_text="The address of a person without an account.")
    name = Line(max_length=100, required=False, help_text="The person's name, if you know it.")
    role = OneOf(User.Role.values, help_text="The role of the account.")
    offices = serializers.ListField(
        child=Row(staffed_offices), required=False, max_length=100, help_text="The offices of an agent: names or ids."
    )


class Invitations(ProjectAPIView):
    @extend_schema(
        operation_id="invitations",
        summary="List invitations",
        tags=["People"],
        responses=InvitationSerializer(many=True),
        examples=[OpenApiExample("An agent", EXAMPLE, response_only=True)],
        extensions={"x-problems": {"403": "You are not an admin."}},
    )
    def get(self, request: Request) -> Response:
        """List the invitations of the last weeks, latest first. Only for admins."""
        _require_admin(request)
        found = Invitation.objects.select_related("invited_by").prefetch_related("offices")
        return serialized_response(InvitationSerializer, found, many=True)

    @extend_schema(
        operation_id="invitation_create",
        summary="Invite a person",
        tags=["People"],
        request=NewInvitationSerializer,
        responses={201: InvitationSerializer},
        examples=[
            OpenApiExample(
                "An agent",
                {"email": "noor@example.com", "role": "agent", "offices": ["Billing"]},
                request_only=True,
            ),
            OpenApiExample("The invitation", EXAMPLE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Mail a person a link by which they create their account within a week. Only for admins."""
        _require_admin(request)
        data = self.read(NewInvitationSerializer)
        with _problems():
            invitation = services.invite(by=request.user, **data)
        return serialized_response(InvitationSerializer, invitation, status=201)


class OneInvitation(ProjectAPIView):
    @extend_schema(
        operation_id="invitation_revoke",
        summary="Revoke an invitation",
        tags=["People"],
        request=None,
        responses={204: None},
        extensions={"x-problems": {"422": "It was already accepted or revoked."}},
    )
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """End an invitation: its link stops working. Only for admins."""
        with _problems():
            services.revoke(_fetch(request, invitation_id), by=request.user)
        return Response(status=204)


class SentInvitation(ProjectAPIView):
    @extend_schema(
        operation_id="invitation_send",
        summary="Send an invitation again",
        tags=["People"],
        request=None,
        responses=InvitationSerializer,
        examples=[OpenApiExample("An agent", EXAMPLE, response_only=True)],
        extensions={"x-problems": {"422": "It was already accepted or revoked."}},
    )
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """Mail a new link for another week; the one of before ends. Only for admins."""
        with _problems():
            invitation = services.resend(_fetch(request, invitation_id), by=request.user)
        return serialized_response(InvitationSerializer, invitation)


def _require_admin(request: Request) -> None:
    if not can_manage_users(request.user):
        raise PermissionDenied


def _fetch(request: Request, key: UUID) -> Invitation:
    _require_admin(request)
    found = Invitation.objects.select_related("invited_by").filter(pk=key).first()
    if found is None:
        raise Http404
    return found


@contextmanager
def _problems() -> Iterator[None]:
    """Turn the errors of a service into those of the body."""
    try:
        yield
    except InvalidValues as error:
        raise serializers.ValidationError(getattr(error, "message_dict", None) or _whole(error)) from error


def _whole(error: InvalidValues) -> dict[str, Any]:
    return {"non_field_errors": error.messages}
