"""Forms: what people may type, checked before a verb sees it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Office, User
from accounts.policies import offered_offices
from tickets import policies, services
from tickets.models import MAX_MESSAGE, MAX_SUBJECT, Priority, Status, Ticket


class TicketForm(forms.Form):
    """A new ticket."""

    subject = forms.CharField(label=_("Subject"), max_length=MAX_SUBJECT)
    office = forms.ModelChoiceField(Office.objects.none(), label=_("Office"), empty_label=None)
    priority = forms.ModelChoiceField(Priority.objects.all(), label=_("Priority"), empty_label=None)
    content = forms.CharField(
        label=_("Message"),
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text=_("Markdown works: **bold**, `code`, lists, links."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offices: forms.ModelChoiceField[Office] = self.fields["office"]  # type: ignore[assignment]
        offices.queryset = offered_offices(user)
        self.fields["priority"].initial = Priority.default()


class ReplyForm(forms.Form):
    """A reply or an internal note; the button that was pressed says which."""

    message = forms.CharField(
        label=_("Message"),
        max_length=MAX_MESSAGE,
        widget=forms.Textarea(attrs={"rows": 4, "aria-describedby": "composer-audience"}),
    )
    internal = forms.BooleanField(required=False)


class ChangeForm(forms.Form):
    """One or more properties of a ticket; a field that was not sent stays as it is."""

    status = forms.ModelChoiceField(Status.objects.all(), label=_("Status"), empty_label=None)
    priority = forms.ModelChoiceField(Priority.objects.all(), label=_("Priority"), empty_label=None)
    assigned_to = forms.ModelChoiceField(
        policies.assignable_people(), label=_("Assignee"), required=False, empty_label=_("Nobody")
    )
    office = forms.ModelChoiceField(Office.objects.all(), label=_("Office"), empty_label=None)
    subject = forms.CharField(label=_("Subject"), max_length=MAX_SUBJECT)

    verbs: dict[str, Callable[..., Ticket]] = {
        "status": lambda ticket, by, value: services.change_status(ticket, by=by, status=value),
        "priority": lambda ticket, by, value: services.change_priority(ticket, by=by, priority=value),
        "assigned_to": lambda ticket, by, value: services.assign(ticket, by=by, to=value),
        "office": lambda ticket, by, value: services.move(ticket, by=by, office=value),
        "subject": lambda ticket, by, value: services.edit_subject(ticket, by=by, subject=value),
    }

    def __init__(self, data: Any = None, *, ticket: Ticket) -> None:
        initial = {name: getattr(ticket, name) for name in self.verbs}
        super().__init__(data, initial=initial, auto_id="change-%s")
        if data is not None:
            for name in self.verbs.keys() - data.keys():
                del self.fields[name]

    def apply(self, ticket: Ticket, *, by: User) -> None:
        """Call the verb of each field that was sent."""
        for name, value in self.cleaned_data.items():
            self.verbs[name](ticket, by, value)
