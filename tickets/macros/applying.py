"""The form that applies a macro to a ticket, and what it would do."""

import uuid
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets import policies
from tickets.configuration.variables import fill
from tickets.forms.choices import ListChoices
from tickets.macros import actions
from tickets.macros.services import apply_macro
from tickets.models import Macro, Ticket
from tickets.unseen import UnseenMessages, latest_shown

CONFLICT = "conflict"


class ApplyForm(forms.Form):
    """A macro, and what its user has seen of the ticket: the version, and the latest message."""

    macro = forms.ModelChoiceField(
        Macro.objects.none(),
        label=gettext_lazy("Macro"),
        empty_label=gettext_lazy("Choose…"),
        error_messages={"invalid_choice": gettext_lazy("This macro no longer exists.")},
    )
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial={"key": uuid.uuid4()}, auto_id="apply-%s")
        macros: forms.ModelChoiceField[Macro] = self.fields["macro"]  # type: ignore[assignment]
        macros.queryset = policies.usable_macros(user)

    def apply(self, ticket: Ticket, *, by: User) -> bool:
        """Apply it. Raises PermissionDenied, ValidationError."""
        data = self.cleaned_data
        return apply_macro(
            data["macro"], ticket, by=by, key=data["key"], seen=data["seen"], seen_version=data["version"]
        )

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error of a change, which has no field here, with the name of what was to change."""
        if (
            isinstance(error, ValidationError)
            and hasattr(error, "error_dict")
            and not self.fields.keys() & error.error_dict
        ):
            named = error.error_dict.items()
            error = ValidationError([_sentence(name, each) for name, errors in named for each in errors])
        elif isinstance(error, UnseenMessages):
            error = ValidationError(_("A new message has arrived. Read it, then apply the macro again."), error.code)
        super().add_error(field, error)

    @property
    def is_outdated(self) -> bool:
        """Whether others have changed the ticket, or written in it, since the user saw it."""
        return any(self.has_error(NON_FIELD_ERRORS, code) for code in (CONFLICT, UnseenMessages.code))


def preview(macro: Macro, ticket: Ticket, *, by: User) -> dict[str, Any]:
    """Return what a macro would do to `ticket`, its texts filled in, and what `by` has seen of the ticket then."""
    todo = actions.read(macro, ListChoices())
    texts = {name: fill(todo.texts.get(name, ""), ticket, by=by) for name in actions.TEXTS}
    return {
        "id": macro.pk,
        "name": macro.name,
        "lines": todo.lines(),
        "problems": " ".join(todo.problems),
        "seen": str(latest_shown(by, ticket)),
        "version": ticket.version,
        **texts,
    }


def _sentence(name: str, error: ValidationError) -> ValidationError:
    words = " ".join(error.messages)
    if name in actions.LABELS:
        words = f"{actions.LABELS[name]}: {words}"
    if error.code == CONFLICT:
        words = f"{words} {_('Apply the macro again to change it anyway.')}"
    return ValidationError(words, error.code)
