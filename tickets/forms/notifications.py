"""The form in which a person chooses how they are notified."""

from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.notifications import preferences
from tickets.notifications.preferences import CHANNELS

LABELS = {"in_app": _("In the app"), "desktop": _("Desktop"), "sound": _("Sound")}


class AlertsForm(forms.Form):
    """One checkbox for each kind and channel."""

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.preferences = preferences.preferences_of(user)
        for kind, preference in self.preferences.items():
            for channel in CHANNELS:
                initial = getattr(preference, channel)
                self.fields[f"{kind}-{channel}"] = forms.BooleanField(
                    label=LABELS[channel], initial=initial, required=False
                )

    def of(self, kind: str) -> list[BoundField]:
        """Return the fields of a kind; none for what is only mailed."""
        return [self[f"{kind}-{channel}"] for channel in CHANNELS if f"{kind}-{channel}" in self.fields]

    def save(self) -> None:
        """Record the choices."""
        for kind in self.preferences:
            channels = {channel: self.cleaned_data[f"{kind}-{channel}"] for channel in CHANNELS}
            preferences.set_preference(self.user, kind, **channels)
