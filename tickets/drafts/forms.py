"""What a page saves of a form that is being filled in."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict

from tickets import files
from tickets.drafts.saving import Content
from tickets.forms.fields import MessageField, UncutField
from tickets.models import MAX_MESSAGE, MAX_SUBJECT

MAX_CUSTOMER = 400  # characters


class DraftForm(forms.Form):
    """A reply or note. `base` is the version that was changed, `user` the person whose page it is."""

    base = forms.IntegerField(min_value=0, max_value=2**31 - 2)
    user = forms.UUIDField()
    text = MessageField(max_length=MAX_MESSAGE, required=False)
    internal = forms.BooleanField(required=False)
    attachments = forms.Field(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.named_files = data.getlist("attachments")

    def clean_attachments(self) -> list[str]:
        """Return the ids of files, without repetitions; a draft shows only those that are its author's."""
        ids = list(dict.fromkeys(map(str, filter(None, map(_as_uuid, self.named_files)))))
        if len(ids) > settings.ATTACHMENT_MAX_FILES:
            raise ValidationError(files.too_many())
        return ids

    def content(self) -> Content:
        """Return what was written."""
        return Content(
            text=self.cleaned_data["text"],
            is_internal=self.cleaned_data["internal"],
            values=self.values(),
            files=self.cleaned_data["attachments"],
        )

    def values(self) -> dict[str, str]:
        """Return the other fields."""
        return {}


class NewTicketDraftForm(DraftForm):
    """A new ticket, however incomplete."""

    customer = UncutField(max_length=MAX_CUSTOMER, required=False, strip=False)
    subject = UncutField(max_length=MAX_SUBJECT, required=False, strip=False)
    office = forms.IntegerField(required=False)
    priority = forms.IntegerField(required=False)
    key = forms.UUIDField(required=False)

    def values(self) -> dict[str, str]:
        """Return the other fields as texts."""
        names = ("customer", "subject", "office", "priority", "key")
        return {name: str(self.cleaned_data[name]) for name in names if self.cleaned_data[name] not in (None, "")}


def _as_uuid(text: str) -> UUID | None:
    """Return the UUID; None if the text is none."""
    try:
        return UUID(text)
    except ValueError:
        return None
