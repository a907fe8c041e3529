"""The field that says who may use what staff keep."""

from collections.abc import Iterator
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies import staffed_offices
from tickets.models import Macro, SavedReply, SavedView

MINE, EVERYONE = "mine", "everyone"
Row = TypeVar("Row", SavedReply, Macro, SavedView)


class AudienceForm(forms.ModelForm[Row]):
    """A row and its readers: the user, the agents of an office, or all staff."""

    audience = forms.ChoiceField(label=_("Who can use it"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user: User = user
        field: forms.ChoiceField = self.fields["audience"]  # type: ignore[assignment]
        field.choices = list(_audiences(user))
        if self.instance.pk:
            shared = EVERYONE if self.instance.office_id is None else str(self.instance.office_id)
            self.initial["audience"] = MINE if self.instance.owner_id else shared

    def clean(self) -> dict[str, Any]:
        """Set its readers."""
        data = super().clean() or {}
        audience = data.get("audience") or MINE
        self.instance.owner = self.user if audience == MINE else None
        self.instance.office_id = int(audience) if audience.isdecimal() else None
        return data


def _audiences(user: User) -> Iterator[tuple[str, Any]]:
    yield MINE, _("Only me")
    yield from ((str(office.pk), office.name) for office in staffed_offices(user))
    if user.is_admin:
        yield EVERYONE, _("All staff")
