"""Forms of tags."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import Tag
from tickets.tags import services


class AddTagForm(forms.Form):
    """The name of a tag to put on a ticket."""

    tag = forms.CharField(
        label=_("Add a tag"), max_length=40, error_messages={"required": _("Enter the name of a tag.")}
    )


class TagForm(forms.ModelForm[Tag]):
    """The name and the colour of a tag."""

    class Meta:
        model = Tag
        fields = ("name", "color")
        widgets = {"color": forms.RadioSelect}


class DeleteTagForm(forms.Form):
    """The deletion of a tag, and the tag that its tickets get instead."""

    def __init__(self, *args: Any, tag: Tag, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tag, self.tickets = tag, tag.tickets.count()
        if self.tickets:
            self.fields["into"] = forms.ModelChoiceField(
                Tag.objects.exclude(pk=tag.pk), label=_("They get instead"), required=False, empty_label=_("No tag")
            )

    def delete(self, *, by: User) -> bool:
        """Delete the tag."""
        services.delete_tag(self.tag, by=by, into=self.cleaned_data.get("into"))
        return True
