"""What the API says of people, offices and tokens, field by field, and what it is told."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.api.fields import Body, OneOf, Text
from accounts.forms import TOKEN_DAYS
from accounts.models import User

NOBODY_KNOWS = "Shown this once: only its hash is kept."


class OfficeSerializer(serializers.Serializer):  # type: ignore[misc]
    """A department that tickets are written to."""

    id = serializers.IntegerField(
        help_text="What `office` takes when a ticket is opened or moved; its name does too."
    )
    name = serializers.CharField(help_text="As tickets and events call it.")
    description = serializers.CharField(allow_blank=True, help_text="What to ask there; may be empty.")
    is_internal = serializers.BooleanField(help_text="Customers never see it, and cannot write to it.")


class WorkplaceSerializer(serializers.Serializer):  # type: ignore[misc]
    """An office that the person works in."""

    id = serializers.IntegerField(help_text="As in the list of offices.")
    name = serializers.CharField(help_text="As in the list of offices.")
    channel = serializers.CharField(help_text="The live channel of the office's tickets.")


class MeSerializer(serializers.Serializer):  # type: ignore[misc]
    """Who asks."""

    id = serializers.UUIDField(help_text="The same for ever.")
    name = serializers.CharField(help_text="In full, as colleagues see it.")
    email = serializers.EmailField(help_text="By which the person signs in; nobody else is told.")
    role = serializers.ChoiceField(
        User.Role.values, help_text="What the person may do depends on the ticket as well."
    )
    language = serializers.CharField(allow_blank=True, help_text="Of answers; empty: as `Accept-Language` says.")
    time_zone = serializers.CharField(allow_blank=True, help_text="In which days of filters begin; empty: UTC.")
    offices = WorkplaceSerializer(many=True, help_text="Where the person works on tickets; customers work nowhere.")
    channel = serializers.CharField(help_text="The live channel of all that concerns the person.")
    socket_url = serializers.CharField(
        help_text="Where a Pusher client connects, from this address or an absolute one."
    )


class TokenSerializer(serializers.Serializer):  # type: ignore[misc]
    """A token, without the characters that open the desk."""

    id = serializers.UUIDField(help_text="By which it is revoked.")
    name = serializers.CharField(help_text="What uses it.")
    created_at = serializers.DateTimeField(source="created", help_text="When it was made.")
    expires_at = serializers.DateTimeField(source="expiry", allow_null=True, help_text="When it ends by itself.")
    is_current = serializers.SerializerMethodField(help_text="Whether it is the one that this was asked with.")

    def get_is_current(self, token: Any) -> bool:
        """Compare with the token of the request."""
        return bool(token == self.context.get("current"))


class NewTokenSerializer(TokenSerializer):
    """A token that has just been made."""

    token = serializers.CharField(help_text=f"For `Authorization: Bearer`. {NOBODY_KNOWS}")


class CredentialsSerializer(Body):
    """Who one is, and what the token is for."""

    email = Text(max_length=254, help_text="The address one signs in with.")
    password = Text(max_length=1000, write_only=True, help_text="The password of that sign-in.")
    code = Text(
        max_length=20,
        required=False,
        write_only=True,
        help_text="From the authenticator app, or a recovery code: where the person has two-step sign-in.",
    )
    name = Text(max_length=80, help_text="What will use the token; the person finds it by that name.")
    days = OneOf(
        [days for days, _label in TOKEN_DAYS], default=90, help_text="After how many days it ends by itself."
    )

    default_error_messages = {"invalid": _("The body must be a JSON object.")}
