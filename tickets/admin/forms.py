"""Forms of Django's admin pages of tickets; they save through the services."""

import uuid
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget, AdminTextInputWidget
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets import policies, services
from tickets.forms.fields import MessageField, UncutField
from tickets.forms.tickets import CustomerField
from tickets.models import Participant, Reply, Ticket
from tickets.people import participants

# Each row adds form fields, and Django accepts at most 1000 (DATA_UPLOAD_MAX_NUMBER_FIELDS).
MAX_ROWS = 50

MESSAGE_FIELDS: dict[Any, dict[str, Any]] = {
    models.TextField: {"form_class": MessageField, "widget": AdminTextareaWidget},
    models.CharField: {"form_class": UncutField, "widget": AdminTextInputWidget},
}


# A handover comes last: afterwards the user may no longer change the ticket.
FIELDS = ("subject", "status", "priority", "assigned_to", "office")


class UnchangedField:
    """A hidden field that never counts as changed."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class HiddenNumberField(UnchangedField, forms.IntegerField):
    """A hidden number."""


class HiddenKeyField(UnchangedField, forms.UUIDField):
    """A hidden UUID."""


class TicketForm(forms.ModelForm[Ticket]):
    """A ticket's fields with their initial values: only changed fields are saved."""

    customer = CustomerField()
    seen = HiddenNumberField(required=False, widget=forms.HiddenInput)
    key = HiddenKeyField(required=False, widget=forms.HiddenInput, initial=uuid.uuid4)
    service_error: ValidationError | None = None

    class Meta:
        model = Ticket
        fields = ("subject", "content", "office", "status", "priority", "assigned_to")

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None and isinstance(self.service_error, services.Conflict):
            data = data.copy()
            data["seen"] = self.service_error.ticket.version  # the form that is shown again displays this version
        super().__init__(data, *args, **kwargs)
        if self.instance.pk:
            self.initial["seen"] = self.instance.version

    def clean(self) -> dict[str, Any]:
        """Add the error of the service that failed, at its field."""
        data = super().clean() or {}
        if self.service_error is not None:
            self._add_service_error(self.service_error)
        return data

    def _add_service_error(self, service_error: ValidationError) -> None:
        for name, errors in getattr(service_error, "error_dict", {NON_FIELD_ERRORS: service_error}).items():
            self.add_error(name if name in self.fields else None, errors)
        if isinstance(service_error, services.Conflict):
            self.add_error(service_error.field, _("Save again to overwrite this change."))

    def apply(self, ticket: Ticket, *, by: User) -> None:
        """Change only the fields that the user changed, one by one, since a handover may end the permission."""
        for name in FIELDS:
            if name in self.changed_data:
                values = {name: self.cleaned_data[name]}
                services.update_ticket(ticket, by=by, values=values, seen_version=self.cleaned_data["seen"])


class LatestRowsFormSet(BaseInlineFormSet[Any, Ticket, Any]):
    """Shows the latest rows of a ticket; a submitted form may refer to any row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows: QuerySet[Any] = self.queryset  # type: ignore[assignment]
        if not self.is_bound:
            self.queryset = rows.filter(pk__in=rows.order_by("-number").values("pk")[:MAX_ROWS])


class ConversationFormSet(LatestRowsFormSet):
    """The conversation. Rows are added and deleted by services, and never edited."""

    by: User

    @cached_property
    def deletable(self) -> set[Any]:
        return set(policies.deletable_replies(self.by, self.instance).values_list("pk", flat=True))

    def add_fields(self, form: Any, index: int | None) -> None:
        """Disable deletion where the service would refuse it."""
        super().add_fields(form, index)
        if "DELETE" in form.fields and form.instance.pk not in self.deletable:
            form.fields["DELETE"].widget.attrs["disabled"] = True

    def write(self, ticket: Ticket, key: uuid.UUID | None) -> list[dict[str, Any]]:
        """Delete and add messages. Return entries for the admin's change log, without any text."""
        # Read the stored rows: the form's instances are modified, and other users may have deleted some.
        deleted = list(ticket.replies.filter(pk__in=[form.instance.pk for form in self.deleted_forms]))
        for reply in deleted:
            services.delete_reply(reply, by=self.by)
        added = [self._add(ticket, form, key) for form in self.extra_forms if form.has_changed()]
        return [{"deleted": _log_name(reply)} for reply in deleted] + [{"added": _log_name(reply)} for reply in added]

    def _add(self, ticket: Ticket, form: Any, key: uuid.UUID | None) -> Reply:
        values = {"message": form.cleaned_data["message"], "internal": form.cleaned_data["is_internal"]}
        return services.add_reply(ticket, by=self.by, key=key and uuid.uuid5(key, form.prefix), **values)


class ParticipantForm(forms.ModelForm[Participant]):
    """A participant to add, as `customers.named_customer` reads it."""

    person = forms.CharField(
        label=_("Name or email address"),
        max_length=400,
        # The heading of the column is no label of the field.
        widget=forms.TextInput({"aria-label": _("Name or email address")}),
    )

    class Meta:
        model = Participant
        fields = ()


class ParticipantFormSet(BaseInlineFormSet[Participant, Ticket, Any]):
    """The participants. Services add and remove them."""

    by: User

    def write(self, ticket: Ticket) -> list[dict[str, Any]]:
        """Remove and add people. Return entries for the admin's change log, without names."""
        removed = [form.instance.user for form in self.deleted_forms]
        for person in removed:
            participants.remove_participant(ticket, by=self.by, person=person)
        added = [form.cleaned_data["person"] for form in self.extra_forms if form.has_changed()]
        for text in added:
            participants.add_named_participant(ticket, text, by=self.by)
        named = {"name": "participant", "object": ""}
        return [{"deleted": named} for _ in removed] + [{"added": named} for _ in added]


def _log_name(reply: Reply) -> dict[str, str]:
    """Name a message by its position, without its text."""
    return {"name": "internal note" if reply.is_internal else "reply", "object": str(reply.number)}
