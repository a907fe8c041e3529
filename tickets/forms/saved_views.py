"""The form of a saved view."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Office, User
from tickets.configuration import saved_views
from tickets.models import SavedView

MINE, EVERYONE = "mine", "everyone"


class SavedViewForm(forms.ModelForm[SavedView]):
    """A view: its name, the filters of the list, and who sees it. Agents save views for themselves only."""

    audience = forms.ChoiceField(label=_("Who sees it"), required=False)

    class Meta:
        model = SavedView
        fields = ("name", "query")
        widgets = {"query": forms.HiddenInput}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not user.is_admin:
            del self.fields["audience"]
            return
        offices = [(str(office.pk), office.name) for office in Office.objects.all()]
        field = self.fields["audience"]
        field.choices = [(MINE, _("Only me")), *offices, (EVERYONE, _("All staff"))]  # type: ignore[attr-defined]
        if self.instance.pk:
            shared = EVERYONE if self.instance.office_id is None else str(self.instance.office_id)
            self.initial["audience"] = MINE if self.instance.owner_id else shared

    def clean(self) -> dict[str, Any]:
        """Set its readers, and check its filters."""
        data = super().clean() or {}
        audience = data.get("audience") or MINE
        self.instance.owner = self.user if audience == MINE else None
        self.instance.office_id = int(audience) if audience.isdecimal() else None
        if "query" in data:
            data["query"] = saved_views.clean_query(data["query"], by=self.user)
        return data
