"""The form of the site's settings."""

from django import forms

from accounts.models import DeskSettings


class DeskForm(forms.ModelForm[DeskSettings]):
    """The site's name, how customers see staff, and the sender of mails."""

    class Meta:
        model = DeskSettings
        fields = (
            "site_name",
            "staff_names",
            "sender_name",
            "sender_address",
            "signature",
            "mails_closing",
            "unseen_minutes",
            "digest_hour",
        )
        widgets = {"signature": forms.Textarea(attrs={"rows": 3})}
