"""Serializers of users, offices and tokens."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.fields import Body, OneOf, Text
from accounts.forms import TOKEN_DAYS
from accounts.models import User

SHOWN_ONCE = "Shown only once: only its hash is stored."


class OfficeSerializer(serializers.Serializer):  # type: ignore[misc]
    """An office to which tickets are addressed."""

    id = serializers.IntegerField(help_text="Value for `office` of a ticket; the name is accepted too.")
    name = serializers.CharField(help_text="As used in tickets and events.")
    description = serializers.CharField(allow_blank=True, help_text="What the office handles; may be empty.")
    is_internal = serializers.BooleanField(help_text="Hidden from customers, who cannot address it.")


class WorkplaceSerializer(serializers.Serializer):  # type: ignore[misc]
    """An office of the authenticated user."""

    id = serializers.IntegerField(help_text="As in the list of offices.")
    name = serializers.CharField(help_text="As in the list of offices.")
    channel = serializers.CharField(help_text="The channel of the office's tickets.")


class MeSerializer(serializers.Serializer):  # type: ignore[misc]
    """The authenticated user."""

    id = serializers.UUIDField(help_text="Never changes.")
    name = serializers.CharField(help_text="Full name, as staff see it.")
    email = serializers.EmailField(help_text="The address used to sign in; not shown to other users.")
    role = serializers.ChoiceField(User.Role.values, help_text="Permissions also depend on the ticket.")
    language = serializers.CharField(allow_blank=True, help_text="Language of responses; empty: `Accept-Language`.")
    time_zone = serializers.CharField(allow_blank=True, help_text="Time zone of date filters; if empty, UTC.")
    offices = WorkplaceSerializer(many=True, help_text="Offices where the user works; empty for customers.")
    channel = serializers.CharField(help_text="The channel of all events for the user.")
    socket_url = serializers.CharField(help_text="Address for Pusher clients, relative or absolute.")


class TokenSerializer(serializers.Serializer):  # type: ignore[misc]
    """A token, without its secret."""

    id = serializers.UUIDField(help_text="Used to revoke the token.")
    name = serializers.CharField(help_text="What the token is for.")
    created_at = serializers.DateTimeField(source="created", help_text="Time of creation.")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True, help_text="Time of expiry.")
    is_current = serializers.SerializerMethodField(help_text="Whether this request uses the token.")

    def get_is_current(self, token: Any) -> bool:
        """Compare with the token of the request."""
        return bool(token == self.context.get("current"))


class NewTokenSerializer(TokenSerializer):
    """A new token, with its secret."""

    token = serializers.CharField(help_text=f"For `Authorization: Bearer`. {SHOWN_ONCE}")


class CredentialsSerializer(Body):
    """Credentials, and the new token's name and lifetime."""

    email = Text(max_length=254, help_text="Email address of the account.")
    password = Text(max_length=1000, write_only=True, help_text="Password of the account.")
    code = Text(
        max_length=20,
        required=False,
        write_only=True,
        help_text="Code from the authenticator app, or a recovery code, if two-factor authentication is on.",
    )
    name = Text(max_length=80, help_text="What the token is for; shown in the list of tokens.")
    days = OneOf([days for days, _label in TOKEN_DAYS], default=90, help_text="Days until the token expires.")

    default_error_messages = {"invalid": _("The body must be a JSON object.")}
