"""Statuses and priorities: what forms offer, and forms of them."""

from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.models import Office, User
from tickets import policies
from tickets.models import Priority, Status, Tag


class ListChoices:
    """What the forms of a list offer; each kind is read once, when the first form needs it."""

    @cached_property
    def statuses(self) -> list[Status]:
        return list(Status.objects.all())

    @cached_property
    def priorities(self) -> list[Priority]:
        return list(Priority.objects.all())

    @cached_property
    def assignees(self) -> list[User]:
        return list(policies.assignable_users())

    @cached_property
    def tags(self) -> list[Tag]:
        return list(Tag.objects.all())

    @cached_property
    def offices(self) -> list[Office]:
        return list(Office.objects.all())


class ChoiceForm(forms.ModelForm[Any]):
    """A status or priority. `is_default` is for the caller to save: a second default violates a constraint."""

    is_default = False

    class Meta:
        widgets = {"color": forms.TextInput(attrs={"type": "color"})}

    def clean(self) -> dict[str, Any]:
        """Take `is_default` out of the data; the default is replaced by another one, not switched off."""
        data = super().clean() or {}
        self.is_default = data.pop("is_default", False)
        if self.initial.get("is_default") and not self.is_default:
            self.add_error("is_default", _("Make another one the default instead."))
        return data


class PriorityForm(ChoiceForm):
    """A priority."""

    class Meta(ChoiceForm.Meta):
        model = Priority
        fields = ("name", "color", "is_default")


class StatusForm(ChoiceForm):
    """A status."""

    class Meta(ChoiceForm.Meta):
        model = Status
        fields = ("name", "color", "is_default", "is_closed", "awaits_customer")

    def clean(self) -> dict[str, Any]:
        """Reject a default that new and reopened tickets can't have."""
        data = super().clean()
        if self.is_default and (data.get("is_closed") or data.get("awaits_customer")):
            self.add_error("is_default", _("The default status can't be closed or wait for the customer."))
        return data
