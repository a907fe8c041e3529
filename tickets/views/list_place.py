"""The list that a ticket was opened from: its tickets before and after it, and where a sent reply leads."""

from functools import cached_property
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from accounts.models import User
from tickets import list_queries
from tickets.forms.filters import FilterForm
from tickets.models import Ticket

MAX_QUERY = 2000  # characters


class ListPlace:
    """A ticket's place in a list, which `query` describes as the list's address does."""

    def __init__(self, user: User, ticket: Ticket, query: str) -> None:
        form = FilterForm(QueryDict(query[:MAX_QUERY]), user=user)
        self._user, self._ticket, self._filter = user, ticket, form.ticket_filter()
        self.query = form.query()

    @property
    def list_url(self) -> str:
        """The address of the list."""
        return f"{reverse('tickets:list')}?{self.query}" if self.query else reverse("tickets:list")

    @property
    def previous_url(self) -> str:
        """The address of the ticket before this one; empty without one."""
        return self._address(self._neighbours[0])

    @property
    def next_url(self) -> str:
        """The address of the ticket after this one; empty without one."""
        return self._address(self._neighbours[1])

    @property
    def next_uuid(self) -> UUID | None:
        """The UUID of the ticket after this one."""
        return self._neighbours[1]

    def after_sending(self, shown: UUID | None) -> str | None:
        """Return where a reply leads, as its author prefers; None if they stay.

        `shown` is the next ticket when the page was loaded: what happened since may have moved this one.
        """
        if self._user.after_sending == User.AfterSending.LIST:
            return self.list_url
        if self._user.after_sending != User.AfterSending.NEXT or self._filter.words:
            return None
        listed = list_queries.filter_tickets(self._user, self._filter).exclude(pk=self._ticket.pk)
        is_listed = shown is not None and listed.filter(uuid=shown).exists()
        return (self._address(shown) if is_listed else self.next_url) or self.list_url

    @cached_property
    def _neighbours(self) -> tuple[UUID | None, UUID | None]:
        """The tickets before and after this one. A search has none: each would cost another search."""
        if self._filter.words:
            return None, None
        return list_queries.neighbours(self._user, self._filter, self._ticket)

    def _address(self, uuid: UUID | None) -> str:
        if uuid is None:
            return ""
        return f"{reverse('tickets:detail', args=[uuid])}?{urlencode({'list': self.query})}"


def place_in_list(user: User, ticket: Ticket, query: str | None) -> ListPlace | None:
    """Return the place of a ticket in the list with this query; None for customers, and without a list."""
    return None if query is None or user.is_customer else ListPlace(user, ticket, query)
