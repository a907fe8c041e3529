"""The choice of the tickets that are merged, and of the one they are merged into."""

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets import policies
from tickets.merging.services import MAX_TICKETS
from tickets.models import Ticket
from tickets.search import named_ticket
from tickets.views.parameters import to_uuid

MAX_SUGGESTIONS = 8


class MergeForm(forms.Form):
    """The tickets with the UUIDs `tickets`, and the one that is chosen (`into`) or typed (`named`)."""

    into = forms.CharField(required=False, max_length=36)
    named = forms.CharField(label=_("Another ticket"), required=False, max_length=400)
    add_customers = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        self.selected = self._staffed([to_uuid(text) for text in data.getlist("tickets")])
        self.target: Ticket | None = None

    @property
    def tickets(self) -> list[Ticket]:
        """The selected tickets without the one that they are merged into."""
        return [ticket for ticket in self.selected if ticket != self.target]

    @property
    def is_choosing(self) -> bool:
        """Whether no other ticket is named yet."""
        return not (self.data.get("into") or self.data.get("named", "").strip())

    @property
    def suggestions(self) -> list[Ticket]:
        """The tickets to choose from: the selected ones, or else open ones of the same customer."""
        if len(self.selected) > 1:
            return self.selected
        keys = [ticket.pk for ticket in self.selected]
        creators = [ticket.creator_id for ticket in self.selected]
        others = self._tickets().filter(creator__in=creators, closed_at=None).exclude(pk__in=keys)
        return list(others.order_by("-updated_at")[:MAX_SUGGESTIONS])

    def clean(self) -> dict[str, Any]:
        """Find the ticket; one that the user may not change is not distinguished from an unknown one."""
        typed = self.cleaned_data.get("named", "").strip()
        if typed:
            found = named_ticket(typed, user=self.user)
            chosen = self._staffed([found.uuid]) if found is not None else []
        else:
            chosen = self._staffed([to_uuid(self.cleaned_data.get("into", ""))])
        if not chosen:
            text = _("None of the tickets that you can change has this reference.")
            raise ValidationError({"named": text})
        self.target = chosen[0]
        if not self.tickets:
            raise ValidationError({"named": _("A ticket can't be merged into itself.")})
        return self.cleaned_data

    def _staffed(self, uuids: list[UUID | None]) -> list[Ticket]:
        found = [uuid for uuid in uuids if uuid is not None][: MAX_TICKETS + 1]
        return list(self._tickets().filter(uuid__in=found).order_by("pk")) if found else []

    def _tickets(self) -> Any:
        tickets = Ticket.objects.filter(policies.staffed_by(self.user)).select_related(*Ticket.RELATED)
        return tickets.defer(*Ticket.MESSAGE_FIELDS)
