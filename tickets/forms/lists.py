"""The form that changes several tickets of the list."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets import policies, services
from tickets.forms.choices import ListChoices
from tickets.forms.filters import ASSIGNEES
from tickets.forms.instances import InstanceChoiceField
from tickets.locking import lock
from tickets.macros import actions
from tickets.macros.services import apply_macro
from tickets.models import Ticket
from tickets.snooze.forms import CHOICES, chosen_time
from tickets.tags.services import add_tag

MAX_BULK_TICKETS = 100
NO_FIELDS = ("tag", "snooze", "macro", "key")  # of a ticket


class BulkForm(forms.Form):
    """New values for the selected tickets; an empty field is not changed."""

    # A macro that is applied twice by one form is applied once.
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, user: User, choices: ListChoices | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s", initial={"key": uuid4()})
        choices, same = choices or ListChoices(), ("", _("Unchanged"))
        self.choices, macros = choices, policies.usable_macros(user)
        self.fields["macro"] = InstanceChoiceField(macros, [("", _("None"))], label=_("Macro"))
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
        if not self.errors and not any(value for name, value in self.cleaned_data.items() if name != "key"):
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

    @property
    def macros(self) -> list[dict[str, Any]]:
        """What each macro does, to be shown once it is chosen."""
        rows = self.fields["macro"].rows.values()  # type: ignore[attr-defined]
        return [{"key": row.pk, "summary": actions.read(row, self.choices).summary()} for row in rows]

    def values(self, *, by: User) -> dict[str, Any]:
        """Return the chosen fields and their new values."""
        words = {"me": by, "none": None}
        fields = {name: value for name, value in self.cleaned_data.items() if name not in NO_FIELDS}
        chosen = {name: value for name, value in fields.items() if value is not None}
        values = {name: words[value] if isinstance(value, str) else value for name, value in chosen.items()}
        snooze = self.cleaned_data["snooze"]
        return values | {"snoozed_until": chosen_time(snooze)} if snooze else values

    def apply(self, ticket: Ticket, *, by: User) -> Ticket:
        """Change a ticket, and return it as it is then. Raises PermissionDenied, ValidationError."""
        chosen = self.cleaned_data
        if chosen["tag"]:  # first: the other changes may end the user's access
            add_tag(ticket, chosen["tag"], by=by)
        changed = services.update_ticket(ticket, by=by, values=self.values(by=by))
        if not chosen["macro"]:
            return changed
        apply_macro(chosen["macro"], ticket, by=by, key=chosen["key"])
        return lock(ticket)
