"""Serializers of users, offices and tokens."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.fields import Body, Line, OneOf, Text
from accounts.forms import TOKEN_DAYS
from accounts.models import ApiToken, User

SHOWN_ONCE = "Shown only once; the server stores only a hash."
SCOPES = "`read` for a token that changes nothing, `write` for one that may do all that its user may."


class OfficeSerializer(serializers.Serializer):  # type: ignore[misc]
    """An office that receives tickets."""

    id = serializers.IntegerField(help_text="Accepted as `office` when a ticket is opened or moved, like the name.")
    name = serializers.CharField(help_text="As in tickets and events.")
    description = serializers.CharField(allow_blank=True, help_text="What the office helps with; may be empty.")
    is_internal = serializers.BooleanField(help_text="Hidden from customers, who cannot open tickets in it.")


class WorkplaceSerializer(serializers.Serializer):  # type: ignore[misc]
    """An office of the user."""

    id = serializers.IntegerField(help_text="As in the list of offices.")
    name = serializers.CharField(help_text="As in the list of offices.")
    channel = serializers.CharField(help_text="The channel of the office's tickets.")


class MeSerializer(serializers.Serializer):  # type: ignore[misc]
    """The current user."""

    id = serializers.UUIDField(help_text="Never changes.")
    name = serializers.CharField(help_text="The full name, as colleagues see it.")
    email = serializers.EmailField(help_text="The address to sign in with; not shown to other users.")
    role = serializers.ChoiceField(User.Role.values, help_text="Permissions also depend on the ticket.")
    language = serializers.CharField(
        allow_blank=True, help_text="The language of responses; empty for `Accept-Language`."
    )
    time_zone = serializers.CharField(allow_blank=True, help_text="The time zone of date filters; empty for UTC.")
    offices = WorkplaceSerializer(
        many=True, help_text="The offices whose tickets the user works on; empty for customers."
    )
    channel = serializers.CharField(help_text="The live channel of the user.")
    socket_url = serializers.CharField(
        help_text="The WebSocket URL for Pusher clients, relative to this server or absolute."
    )


class TokenSerializer(serializers.Serializer):  # type: ignore[misc]
    """A token without its secret."""

    id = serializers.UUIDField(help_text="The id to revoke it by.")
    name = serializers.CharField(help_text="What the token is used for.")
    created_at = serializers.DateTimeField(source="created", help_text="When it was created.")
    expires_at = serializers.DateTimeField(
        source="expiry", allow_null=True, help_text="When it expires; null for never."
    )
    scope = serializers.ChoiceField(ApiToken.Scope.choices, help_text=SCOPES)
    last_used_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last used, to the minute; null if it was not used yet."
    )
    is_current = serializers.SerializerMethodField(help_text="Whether this request used it.")

    def get_is_current(self, token: Any) -> bool:
        return bool(token == self.context.get("current"))


class NewTokenSerializer(TokenSerializer):
    """A new token with its secret."""

    token = serializers.CharField(help_text=f"For `Authorization: Bearer`. {SHOWN_ONCE}")


class CredentialsSerializer(Body):
    """Credentials, and the name and lifetime of the token."""

    email = Text(max_length=254, help_text="The email address of the account.")
    password = Text(max_length=1000, write_only=True, help_text="The password of the account.")
    code = Text(
        max_length=20,
        required=False,
        write_only=True,
        help_text="A code of the authenticator app or a recovery code, if the user has two-step sign-in.",
    )
    name = Line(
        max_length=80,
        default=_("API token"),
        help_text="A name for the token, such as the program that uses it. Defaults to “API token”.",
    )
    days = OneOf([days for days, _label in TOKEN_DAYS], default=90, help_text="The number of days until it expires.")

    scope = OneOf(ApiToken.Scope.values, default=ApiToken.Scope.WRITE, help_text=SCOPES)
