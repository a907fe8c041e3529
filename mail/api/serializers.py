"""Serializers of notification preferences: of each kind of event, by mail and in the app."""

from rest_framework import serializers

from accounts.api.fields import Body, Flag
from mail.models import MailPreference
from tickets.models import NotificationKind

MAIL = (
    "When a mail is sent: `now`; `unseen`, after a while if it was not on the user's screen; `digest`, in one mail a "
    "day; or `never`."
)
IN_APP = "Whether it is in `notifications/`, and shown on open pages; null for what is only mailed."
DESKTOP = "Whether the browser shows it while no page is looked at; null for what is only mailed."
SOUND = "Whether the browser plays a sound; null for what is only mailed."


class PreferenceSerializer(serializers.Serializer):  # type: ignore[misc]
    """How the user is notified of one kind of event."""

    kind = serializers.ChoiceField(NotificationKind.values, help_text="The kind of event.")
    label = serializers.CharField(help_text="What it is, in the user's language.")
    mail = serializers.ChoiceField(MailPreference.Mode.values, help_text=MAIL)
    mail_choices = serializers.ListField(
        child=serializers.CharField(),
        help_text="What `mail` may be of this kind.",
    )
    in_app = serializers.BooleanField(allow_null=True, help_text=IN_APP)
    desktop = serializers.BooleanField(allow_null=True, help_text=DESKTOP)
    sound = serializers.BooleanField(allow_null=True, help_text=SOUND)


class PreferenceChangeSerializer(Body):
    """When a mail is sent, and other values to change."""

    required_in_patch = ("mail",)
    mail = serializers.ChoiceField(MailPreference.Mode.values, help_text=MAIL)
    in_app = Flag(required=False, help_text=IN_APP)
    desktop = Flag(required=False, help_text=DESKTOP)
    sound = Flag(required=False, help_text=SOUND)
