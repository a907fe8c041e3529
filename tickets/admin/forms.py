"""Forms of tickets in Django's admin: they carry what they were made with, and write by the verbs."""

import uuid
from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets import policies, services
from tickets.models import Reply, Ticket

# How much of a conversation a form shows: each row is fields, of which a browser may send a thousand.
MAX_ROWS = 50


# A handover comes last: afterwards the user may no longer change the ticket.
FIELDS = ("subject", "status", "priority", "assigned_to", "office")


class UnchangedField:
    """A field that goes with the form and is not filled in."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Nobody changes it."""
        return False


class HiddenNumberField(UnchangedField, forms.IntegerField):
    """A number that goes with the form."""


class HiddenKeyField(UnchangedField, forms.UUIDField):
    """A key that goes with the form."""


class TicketForm(forms.ModelForm[Ticket]):
    """A ticket's fields with what they were when the page was made: only what somebody changed is written."""

    seen = HiddenNumberField(required=False, widget=forms.HiddenInput)
    key = HiddenKeyField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)
    refusal: ValidationError | None = None

    class Meta:
        model = Ticket
        fields = ("subject", "content", "office", "status", "priority", "assigned_to")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None and isinstance(self.refusal, services.Conflict):
            data = data.copy()
            data["seen"] = self.refusal.ticket.version  # whoever sends it again has seen it
        super().__init__(data, *args, **kwargs)
        if self.instance.pk:
            self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Say what a verb has refused, at the field that it is about."""
        data = super().clean() or {}
        if self.refusal is not None:
            self._refuse(self.refusal)
        return data

    def _refuse(self, refusal: ValidationError) -> None:
        for name, errors in getattr(refusal, "error_dict", {NON_FIELD_ERRORS: refusal}).items():
            self.add_error(name if name in self.fields else None, errors)
        if isinstance(refusal, services.Conflict):
            self.add_error(refusal.field, _("Save again to overwrite this change."))

    def apply(self, ticket: Ticket, *, by: User) -> None:
        """Change only the fields that the user changed, one by one, since a handover may end the permission."""
        for name in FIELDS:
            if name in self.changed_data:
                values = {name: self.cleaned_data[name]}
                services.update_ticket(ticket, by=by, values=values, seen_version=self.cleaned_data["seen"])


class LatestRowsFormSet(BaseInlineFormSet[Any, Ticket, Any]):
    """The latest rows of a ticket; what was sent refers to any of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: QuerySet[Any] = self.queryset  # type: ignore[assignment]
        if not self.is_bound:
            self.queryset = rows.filter(pk__in=rows.order_by("-number").values("pk")[:MAX_ROWS])


class ConversationFormSet(LatestRowsFormSet):
    """The conversation: rows are added and deleted, by the verbs, and never rewritten."""

    by: User  # who looks

    @cached_property
    def deletable(self) -> set[Any]:
        """The messages that one may delete."""
        return set(policies.deletable_replies(self.by, self.instance).values_list("pk", flat=True))

    def add_fields(self, form: Any, index: int | None) -> None:
        """Offer to delete what one may delete; what is sent all the same, the verb refuses."""
        super().add_fields(form, index)
        if "DELETE" in form.fields and form.instance.pk not in self.deletable:
            form.fields["DELETE"].widget.attrs["disabled"] = True

    def write(self, ticket: Ticket, key: uuid.UUID | None) -> list[dict[str, Any]]:
        """Delete and add by the verbs; return what happened as Django's log of changes has it, without the words."""
        # As they are, not as the form would have them; what somebody else has deleted is gone.
        gone = list(ticket.replies.filter(pk__in=[form.instance.pk for form in self.deleted_forms]))
        for reply in gone:
            services.delete_reply(reply, by=self.by)
        added = [self._add(ticket, form, key) for form in self.extra_forms if form.has_changed()]
        return [{"deleted": _about(reply)} for reply in gone] + [{"added": _about(reply)} for reply in added]

    def _add(self, ticket: Ticket, form: Any, key: uuid.UUID | None) -> Reply:
        words = {"message": form.cleaned_data["message"], "internal": form.cleaned_data["is_internal"]}
        return services.add_reply(ticket, by=self.by, key=key and uuid.uuid5(key, form.prefix), **words)


class ChoiceForm(forms.ModelForm[Any]):
    """A status or priority."""

    class Meta:
        widgets = {"color": forms.TextInput(attrs={"type": "color"})}

    def clean(self) -> dict[str, Any]:
        """Leave the default to who saves: beside the old one, the new one would be refused."""
        data = super().clean() or {}
        self.is_default = data.pop("is_default", False)
        return data


def _about(reply: Reply) -> dict[str, str]:
    """Name a message by its place: a deleted note leaves no words."""
    return {"name": "internal note" if reply.is_internal else "reply", "object": str(reply.number)}
