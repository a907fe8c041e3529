"""The form in which a person chooses which mails they receive."""

from typing import Any

from django import forms

from accounts.models import User
from mail.models import MailPreference, preferences
from tickets.models import NotificationKind


class MailPreferencesForm(forms.Form):
    """One choice for each kind of event that may concern the user."""

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        for event, mode in preferences.modes_of(user).items():
            choices = [(each.value, each.label) for each in preferences.modes_for(event)]
            self.fields[event] = forms.ChoiceField(label=event.label, choices=choices, initial=mode)

    def save(self) -> None:
        """Record the choices."""
        modes = {NotificationKind(name): MailPreference.Mode(mode) for name, mode in self.cleaned_data.items()}
        preferences.set_modes(self.user, modes)
