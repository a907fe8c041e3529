"""The form of an office."""

from typing import Any

from django import forms

from accounts.models import Office, User


class OfficeForm(forms.ModelForm[Office]):
    """An office with its agents. Inactive agents stay in it, and are not offered."""

    class Meta:
        model = Office
        fields = (
            "name",
            "description",
            "is_internal",
            "agents",
            "sender_name",
            "sender_address",
            "signature",
        )
        widgets = {
            "agents": forms.CheckboxSelectMultiple,
            "description": forms.Textarea(attrs={"rows": 2}),
            "signature": forms.Textarea(attrs={"rows": 3}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        agents = User.objects.filter(role=User.Role.AGENT)
        offered = agents.filter(is_active=True)
        if self.instance.pk:
            offered = offered | agents.filter(offices=self.instance)
        self.fields["agents"].queryset = offered.distinct()  # type: ignore[attr-defined]
