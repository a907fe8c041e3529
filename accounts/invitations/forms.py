"""The form by which an invited person creates their account."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, User
from accounts.text.lines import validate_person_name


class AcceptForm(SetPasswordForm):  # type: ignore[type-arg]
    """A name and a password."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        validators=[validate_person_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "new_password1", "new_password2"]

    def __init__(self, invitation: Invitation, data: Any = None) -> None:
        user = User(email=invitation.email, name=invitation.name)
        super().__init__(user, data, initial={"name": invitation.name})
        self.fields["new_password1"].label = _("Password")
        self.fields["new_password2"].label = _("Password (again)")
