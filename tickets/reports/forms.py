"""The form of a report: its period, its grouping and its filters."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies import staffed_offices
from tickets.forms.choices import ListChoices
from tickets.forms.filters import DateInputField
from tickets.forms.instances import InstanceChoiceField
from tickets.reports.figures import MAX_DAYS, Scope

GROUPINGS = [("week", _("Week")), ("office", _("Office")), ("agent", _("Assignee")), ("tag", _("Tag"))]
DEFAULT_WEEKS = 12


class ReportForm(forms.Form):
    """What a report is about. Without dates: the last twelve weeks."""

    first = DateInputField(label=_("From"))
    last = DateInputField(label=_("To"))
    by = forms.ChoiceField(label=_("Group by"), choices=GROUPINGS, required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        today = timezone.localdate()
        monday = today - timedelta(days=today.weekday())
        defaults = {"first": str(monday - timedelta(weeks=DEFAULT_WEEKS - 1)), "last": str(today)}
        super().__init__({**defaults, **data.dict()}, auto_id="report-%s")
        self.user, choices, all_ = user, ListChoices(), ("", _("All"))
        self.fields["office"] = InstanceChoiceField(staffed_offices(user), [all_], label=_("Office"))
        self.fields["agent"] = InstanceChoiceField(choices.assignees, [all_], label=_("Assignee"))
        self.fields["tag"] = InstanceChoiceField(choices.tags, [all_], label=_("Tag"))

    def clean_first(self) -> Any:
        return self._required("first")

    def clean_last(self) -> Any:
        return self._required("last")

    def clean(self) -> dict[str, Any]:
        """Require a period that ends after it begins and is not too long."""
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", _("The end date is before the start date."))
        elif first and last and (last - first).days >= MAX_DAYS:
            self.add_error("last", _("A report covers at most two years."))
        return self.cleaned_data

    def scope(self) -> Scope:
        """Return what the report is about, if the form is valid."""
        chosen = {name: self.cleaned_data[name] for name in ("first", "last", "office", "agent", "tag")}
        return Scope(self.user, **chosen)

    @property
    def grouping(self) -> str:
        return self.cleaned_data["by"] or "week"

    def _required(self, name: str) -> Any:
        if self.cleaned_data[name] is None:
            raise ValidationError(_("Choose a date."))
        return self.cleaned_data[name]
