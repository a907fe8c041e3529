"""The form that deletes a status, a priority or an office."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.configuration import replacements


class DeleteForm(forms.Form):
    """The deletion of a value: what its tickets get instead."""

    def __init__(self, *args: Any, value: replacements.Value, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.value, self.tickets = value, replacements.tickets_with(value).count()
        if self.tickets:
            others: Any = type(value)._default_manager.exclude(pk=value.pk)
            self.fields["replacement"] = forms.ModelChoiceField(
                others, label=_("They get instead"), empty_label=_("Choose…")
            )

    def delete(self, *, by: User) -> bool:
        """Delete it, or have its tickets changed first; return whether it is deleted already."""
        return replacements.delete_value(self.value, by=by, replacement=self.cleaned_data.get("replacement"))
