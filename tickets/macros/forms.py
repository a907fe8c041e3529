"""The form that makes and changes a macro."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.forms.audience import AudienceForm
from tickets.forms.choices import ListChoices
from tickets.forms.fields import MessageField
from tickets.forms.instances import InstanceChoiceField, InstancesField
from tickets.macros.actions import LABELS, ME, NO_ONE, TEXTS
from tickets.models import MAX_MESSAGE, Macro
from tickets.snooze.forms import CHOICES as SNOOZE_CHOICES

FIELDS = {"status": "status", "priority": "priority", "assigned_to": "assigned_to", "office": "move_to"}
TAGS = ("add_tags", "remove_tags")


class MacroForm(AudienceForm[Macro]):
    """A macro: its name, its actions, and who may use it. An empty field is no action."""

    class Meta:
        model = Macro
        fields = ("name",)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self._add_fields(ListChoices())
        stored = self.instance.actions
        # The field of an office has another name: the model has one, of those who may use the macro.
        self.initial.update({FIELDS.get(name, name): value for name, value in stored.items()})

    def _add_fields(self, choices: ListChoices) -> None:
        same = ("", _("Unchanged"))
        people = [same, (ME, _("Me")), (NO_ONE, _("No one"))]
        self.fields["status"] = InstanceChoiceField(choices.statuses, [same], label=LABELS["status"])
        self.fields["priority"] = InstanceChoiceField(choices.priorities, [same], label=LABELS["priority"])
        self.fields["assigned_to"] = InstanceChoiceField(choices.assignees, people, label=LABELS["assigned_to"])
        self.fields["move_to"] = InstanceChoiceField(choices.offices, [same], label=LABELS["office"])
        self.fields["snooze"] = forms.ChoiceField(
            choices=[same, *SNOOZE_CHOICES], required=False, label=LABELS["snooze"]
        )
        for name in TAGS:
            self.fields[name] = InstancesField(choices.tags, label=LABELS[name])
        for name in TEXTS:
            self.fields[name] = MessageField(max_length=MAX_MESSAGE, required=False, label=LABELS[name])
        self.fields["follow"] = forms.BooleanField(required=False, label=_("Follow the ticket"))

    def clean(self) -> dict[str, Any]:
        """Set its actions; the service checks them together."""
        data = super().clean()
        self.instance.actions = self._actions(data)
        return data

    def _actions(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = {name: data.get(field) for name, field in FIELDS.items()}
        actions = {name: _key(row) for name, row in fields.items() if row is not None}
        actions |= {name: [tag.pk for tag in data[name]] for name in TAGS if data.get(name)}
        plain = {name: data.get(name) for name in ("snooze", "follow", *TEXTS)}
        return actions | {name: value for name, value in plain.items() if value}

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error of an action to its field."""
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            error = ValidationError({FIELDS.get(name, name): each for name, each in error.error_dict.items()})
        super().add_error(field, error)


def _key(row: Any) -> Any:
    """Return what is stored of a chosen row: its key, or the word."""
    return row if isinstance(row, str) else str(row.pk) if isinstance(row, User) else row.pk
