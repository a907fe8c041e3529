"""API views of a person's own notification preferences."""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import ProjectAPIView, serialized_response
from accounts.models import User
from mail.api.serializers import PreferenceChangeSerializer, PreferenceSerializer
from mail.models import MailPreference, preferences
from tickets.api.examples import request_example, response_example
from tickets.models import NotificationKind
from tickets.notifications import preferences as alerts
from tickets.notifications.preferences import CHANNELS

EXAMPLE = {
    "kind": "reply",
    "label": "Reply to your ticket",
    "mail": "unseen",
    "mail_choices": ["unseen", "now", "digest", "never"],
    "in_app": True,
    "desktop": True,
    "sound": False,
}


class Preferences(ProjectAPIView):
    @extend_schema(
        operation_id="notification_preferences",
        summary="List your notification preferences",
        tags=["Notifications"],
        responses=PreferenceSerializer(many=True),
        examples=[response_example("Replies", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """List how the user is notified of each kind of event that may concern them."""
        return serialized_response(PreferenceSerializer, list(_preferences_of(request.user).values()), many=True)


class OnePreference(ProjectAPIView):
    @extend_schema(
        operation_id="notification_preference_update",
        summary="Change a notification preference",
        tags=["Notifications"],
        request=PreferenceChangeSerializer,
        responses=PreferenceSerializer,
        examples=[
            request_example("No mails", {"mail": "never"}),
            response_example("Replies", EXAMPLE | {"mail": "never"}),
        ],
    )
    def patch(self, request: Request, kind: str) -> Response:
        """Change how the user is notified of a kind of event; what is not named stays."""
        present = _preferences_of(request.user).get(kind)
        if present is None:
            raise Http404
        changes = self.read(PreferenceChangeSerializer)
        refused = [name for name in CHANNELS if name in changes and present[name] is None]
        errors: dict[str, list[str]] = {name: [_("This is only mailed.")] for name in refused}
        if changes["mail"] not in present["mail_choices"]:
            errors["mail"] = [_("Choose one of: %(choices)s.") % {"choices": ", ".join(present["mail_choices"])}]
        if errors:
            raise ValidationError(errors)
        _change(request.user, NotificationKind(kind), present, changes)
        return serialized_response(PreferenceSerializer, present | changes)


def _preferences_of(user: User) -> dict[str, dict[str, Any]]:
    """Return the preferences by kind."""
    in_app = alerts.preferences_of(user)
    return {
        kind.value: {
            "kind": kind.value,
            "label": str(kind.label),
            "mail": mode.value,
            "mail_choices": [each.value for each in preferences.modes_for(kind)],
            **{channel: getattr(in_app[kind], channel) if kind in in_app else None for channel in CHANNELS},
        }
        for kind, mode in preferences.modes_of(user).items()
    }


@transaction.atomic
def _change(user: User, kind: NotificationKind, present: dict[str, Any], changes: dict[str, Any]) -> None:
    preferences.set_modes(user, {kind: MailPreference.Mode(changes["mail"])})
    if not changes.keys().isdisjoint(CHANNELS):
        values = present | changes
        alerts.set_preference(user, kind, **{channel: values[channel] for channel in CHANNELS})
