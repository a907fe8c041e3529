"""The form that changes several tickets of the list."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.forms.choices import ListChoices
from tickets.forms.filters import ASSIGNEES
from tickets.forms.instances import InstanceChoiceField
from tickets.snooze.forms import CHOICES, chosen_time

MAX_BULK_TICKETS = 100


class BulkForm(forms.Form):
    """New values for the selected tickets; an empty field is not changed."""

    def __init__(self, data: QueryDict | None = None, *, choices: ListChoices | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s")
        choices, same = choices or ListChoices(), ("", _("Unchanged"))
        self.fields["status"] = InstanceChoiceField(choices.statuses, [same], label=_("Status"))
        self.fields["priority"] = InstanceChoiceField(choices.priorities, [same], label=_("Priority"))
        people = choices.assignees
        self.fields["assigned_to"] = InstanceChoiceField(people, [same, *ASSIGNEES], label=_("Assignee"))
        self.fields["office"] = InstanceChoiceField(choices.offices, [same], label=_("Office"))
        self.fields["snooze"] = forms.ChoiceField(choices=[same, *CHOICES], label=_("Snooze"), required=False)
        self.fields["tag"] = forms.CharField(
            label=_("Add a tag"),
            required=False,
            max_length=40,
            widget=forms.TextInput(attrs={"list": "tag-options", "autocomplete": "off"}),
        )

    def clean(self) -> dict[str, Any]:
        """Require 1 to MAX_BULK_TICKETS tickets and at least one change."""
        self.uuids = self._uuids()
        if not self.errors and not any(self.cleaned_data.values()):
            raise ValidationError(_("Choose at least one change."))
        return self.cleaned_data

    def _uuids(self) -> set[UUID]:
        try:
            uuids = {UUID(text) for text in self.data.getlist("tickets")}  # type: ignore[attr-defined]
        except ValueError:
            raise ValidationError(
                _("The selection is invalid. Reload the page and select the tickets again.")
            ) from None
        if not uuids:
            raise ValidationError(_("Select at least one ticket."))
        if len(uuids) > MAX_BULK_TICKETS:
            raise ValidationError(_("Select at most %(most)d tickets.") % {"most": MAX_BULK_TICKETS})
        return uuids

    def values(self, *, by: User) -> dict[str, Any]:
        """Return the chosen fields and their new values."""
        words = {"me": by, "none": None}
        fields = {name: value for name, value in self.cleaned_data.items() if name not in ("tag", "snooze")}
        chosen = {name: value for name, value in fields.items() if value is not None}
        values = {name: words[value] if isinstance(value, str) else value for name, value in chosen.items()}
        snooze = self.cleaned_data["snooze"]
        return values | {"snoozed_until": chosen_time(snooze)} if snooze else values
