"""The form of a saved view."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.configuration import saved_views
from tickets.forms.audience import AudienceForm
from tickets.models import SavedView


class SavedViewForm(AudienceForm[SavedView]):
    """A view: its name, the filters of the list, and who sees it. Agents save views for themselves only."""

    audience = forms.ChoiceField(label=_("Who sees it"), required=False)

    class Meta:
        model = SavedView
        fields = ("name", "query")
        widgets = {"query": forms.HiddenInput}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        if not user.is_admin:
            del self.fields["audience"]

    def clean(self) -> dict[str, Any]:
        """Check its filters."""
        data = super().clean()
        if "query" in data:
            data["query"] = saved_views.clean_query(data["query"], by=self.user)
        return data
