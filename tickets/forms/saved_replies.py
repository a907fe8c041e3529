"""The form of a saved reply."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.policies import staffed_offices
from tickets.configuration import saved_replies
from tickets.forms.fields import MessageField
from tickets.models import SavedReply
from tickets.models.tickets import MAX_MESSAGE

MINE, EVERYONE = "mine", "everyone"


class SavedReplyForm(forms.ModelForm[SavedReply]):
    """A saved reply and who may use it: its owner, the agents of an office, or all staff."""

    text = MessageField(label=_("Text"), max_length=MAX_MESSAGE)
    audience = forms.ChoiceField(label=_("Who can use it"))

    class Meta:
        model = SavedReply
        fields = ("name", "text")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        offices = [(str(office.pk), office.name) for office in staffed_offices(user)]
        everyone = [(EVERYONE, _("All staff"))] if user.is_admin else []
        field = self.fields["audience"]
        field.choices = [(MINE, _("Only me")), *offices, *everyone]  # type: ignore[attr-defined]
        if self.instance.pk:
            shared = EVERYONE if self.instance.office_id is None else str(self.instance.office_id)
            self.initial["audience"] = MINE if self.instance.owner_id else shared

    def clean(self) -> dict[str, Any]:
        """Set its readers, and check its text."""
        data = super().clean() or {}
        audience = data.get("audience")
        self.instance.owner = self.user if audience == MINE else None
        self.instance.office_id = int(audience) if audience and audience.isdecimal() else None
        if "text" in data:
            saved_replies.validate_text(data["text"])
        return data
