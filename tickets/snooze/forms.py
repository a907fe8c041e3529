"""The form that snoozes a ticket."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tickets.snooze.times import NAMES, time_named

END = "end"
CHOICES = [*NAMES, (END, _("Not snoozed"))]


class SnoozeForm(forms.Form):
    """Until when a ticket is snoozed: a time by its name, or a date and time in the user's time zone."""

    name = forms.ChoiceField(choices=CHOICES, required=False)
    snoozed_until = forms.DateTimeField(
        label=_("Date and time"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )

    def clean(self) -> dict[str, Any]:
        """Require one of both."""
        if not self.errors and not any(self.cleaned_data.values()):
            raise ValidationError({"snoozed_until": _("Choose a date and a time.")})
        return self.cleaned_data

    @property
    def until(self) -> datetime | None:
        """The chosen time; None to end the snooze."""
        return self.cleaned_data["snoozed_until"] or chosen_time(self.cleaned_data["name"])


def chosen_time(name: str) -> datetime | None:
    """Return the time of a choice from now on; None for `END`."""
    return None if name == END else time_named(name)
