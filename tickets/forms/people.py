"""The forms of people on the settings pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import StoredChoicesField
from accounts.invitations import services as invitations
from accounts.models import Invitation, Office, User
from tickets.people import handover


class OfficesField(StoredChoicesField):
    """The offices of an agent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            Office.objects.all(), label=_("Offices"), required=False, widget=forms.CheckboxSelectMultiple, **kwargs
        )


class PersonForm(forms.ModelForm[User]):
    """Name, role and offices of a person."""

    offices = OfficesField(help_text=_("Of an agent. Admins work in all offices."))

    class Meta:
        model = User
        fields = ("name", "role")

    def __init__(self, data: Any = None, *, person: User, by: User) -> None:
        super().__init__(data, instance=person)
        self.by = by
        self.initial["offices"] = person.offices.all()
        if person == by:
            self.fields["role"].disabled = True
        self.open_tickets = handover.open_tickets(person).count()

    def save(self, commit: bool = True) -> User:
        """Save. Raises PermissionDenied, ValidationError."""
        values = {name: self.cleaned_data[name] for name in ("name", "role", "offices")}
        person = User.objects.get(pk=self.instance.pk)
        handover.update_person(person, by=self.by, **values)
        return person


class DeactivationForm(forms.Form):
    """Who takes on the open tickets of a person who is deactivated."""

    def __init__(self, data: Any = None, *, person: User) -> None:
        super().__init__(data)
        self.fields["to"] = forms.ModelChoiceField(
            handover.successors(person),
            required=False,
            label=_("Hand over open tickets to"),
            empty_label=_("No one"),
        )


class InvitationForm(forms.ModelForm[Invitation]):
    """A new invitation."""

    offices = OfficesField(help_text=_("Of an agent. Admins work in all offices."))

    class Meta:
        model = Invitation
        fields = ("email", "name", "role")

    def send(self, by: User) -> Invitation:
        """Mail the invitation. Raises PermissionDenied, ValidationError."""
        return invitations.invite(by=by, **self.cleaned_data)
