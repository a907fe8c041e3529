"""The confirmation of an erasure."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.models import Reply, Ticket
from tickets.people import handover
from tickets.privacy.erasure import Erasure, check_erasure, erase_person

KEEP, DELETE = "keep", "delete"


class ErasureForm(forms.Form):
    """What happens to the person's tickets, and the person's address, typed."""

    tickets = forms.ChoiceField(
        label=_("Their tickets"),
        choices=(
            (KEEP, _("Keep their tickets, without their name")),
            (DELETE, _("Delete their tickets with all messages and files")),
        ),
        initial=KEEP,
        widget=forms.RadioSelect,
    )
    assign_to = forms.ModelChoiceField(
        User.objects.none(), required=False, label=_("Hand over to"), empty_label=_("No one")
    )
    confirmation = forms.CharField(
        label=_("Email address"), widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, data: Any = None, *, person: User, by: User) -> None:
        super().__init__(data)
        self.person, self.by = person, by
        self.numbers = {
            "tickets": Ticket.objects.filter(creator=person).count(),
            "messages": Reply.objects.filter(author=person).count(),
            "assigned": handover.open_tickets(person).count(),
        }
        assign_to = self.fields["assign_to"]
        if isinstance(assign_to, forms.ModelChoiceField):
            assign_to.queryset = handover.successors(person)
        if not self.numbers["tickets"]:
            del self.fields["tickets"]
        if not self.numbers["assigned"]:
            del self.fields["assign_to"]

    def clean_confirmation(self) -> str:
        """Require the address of the person, in any case."""
        typed: str = self.cleaned_data["confirmation"].strip()
        if typed.lower() != self.person.email.lower():
            raise forms.ValidationError(_("This is not the email address of this person."))
        return typed

    def clean(self) -> dict[str, Any]:
        """Check that the admin may erase the person."""
        try:
            check_erasure(self.person, by=self.by)
        except PermissionDenied as error:
            raise forms.ValidationError(str(error)) from error
        return super().clean() or {}

    def erase(self) -> Erasure:
        """Erase the person. Raises PermissionDenied, ValidationError."""
        delete = self.cleaned_data.get("tickets") == DELETE
        to = self.cleaned_data.get("assign_to")
        return erase_person(self.person, by=self.by, delete_tickets=delete, to=to)
