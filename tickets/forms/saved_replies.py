"""The form of a saved reply."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from tickets.configuration.variables import validate_text
from tickets.forms.audience import AudienceForm
from tickets.forms.fields import MessageField
from tickets.models import MAX_MESSAGE, SavedReply


class SavedReplyForm(AudienceForm[SavedReply]):
    """A saved reply and who may use it."""

    text = MessageField(label=_("Text"), max_length=MAX_MESSAGE)

    class Meta:
        model = SavedReply
        fields = ("name", "text")

    def clean(self) -> dict[str, Any]:
        """Check its text."""
        data = super().clean()
        if "text" in data:
            validate_text(data["text"])
        return data
