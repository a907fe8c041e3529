"""The views beside the ticket list: those that every list has, and those that staff have saved."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import list_queries, policies
from tickets.counts import count_filters
from tickets.forms.choices import ListChoices
from tickets.forms.filters import FilterForm
from tickets.models import SavedView, Status
from tickets.payloads import VIEW_READERS, view_payload


def built_in_views(
    user: User, ticket_filter: list_queries.TicketFilter, statuses: list[Status], counts: dict[str, int]
) -> list[dict[str, Any]]:
    """Return the predefined views with query, name, count and whether each is current."""
    is_whole, whole = not ticket_filter.statuses, ticket_filter.views
    mine, unassigned = (ticket_filter.assignees == (word,) for word in ("me", "none"))
    by_assignee = [
        ("mine", "?assignee=me", _("Mine"), "user-round-check", mine),
        ("unassigned", "?assignee=none", _("Unassigned"), "user-round-x", unassigned),
    ]
    name = _("Needs your reply") if user.is_customer else _("Needs reply")
    waiting = ("waiting", "?status=waiting", name, "message-circle-reply", is_whole and whole == ("waiting",))
    unread = ("unread", "?status=unread", _("Unread"), "mail", is_whole and whole == ("unread",))
    snoozed = ("snoozed", "?status=snoozed", _("Snoozed"), "alarm-clock", is_whole and whole == ("snoozed",))
    is_active = is_whole and whole == ("active",) and not (mine or unassigned)
    active = [("active", "", _("Active"), "inbox", is_active), waiting, unread]
    active += [] if user.is_customer else [*by_assignee, snoozed]
    all_tickets = ("all", "?status=all", _("All"), "tickets", is_whole and whole == ("all",))
    views = [_view(counts, *view) for view in active]
    for status in statuses:
        here = ticket_filter.statuses == (status,) and not whole
        views.append(
            _view(counts, f"status-{status.pk}", f"?status={status.pk}", status.name, "", here) | {"status": status}
        )
    return [*views, _view(counts, *all_tickets)]


def _view(counts: dict[str, int], key: str, query: str, name: str, icon: str, is_here: bool) -> dict[str, Any]:
    return {"key": key, "query": query, "name": name, "icon": icon, "is_here": is_here, "number": counts[key]}


def usable_views(user: User) -> list[SavedView]:
    """Return the saved views of `user`, in the order of lists: their own, those of their offices, those for all."""
    views = [] if user.is_customer else policies.usable_views(user).select_related("office", "owner")
    return sorted(views, key=lambda view: VIEW_READERS.index(view_payload(view)["visible_to"]))


def count_saved_views(user: User, views: Iterable[SavedView], choices: ListChoices) -> dict[str, int]:
    """Return the number of tickets in each saved view, by the value of `data-count` in pages. Searches have none."""
    forms = {f"view-{view.pk}": FilterForm(QueryDict(view.query), user=user, choices=choices) for view in views}
    return count_filters(user, {key: form.ticket_filter() for key, form in forms.items()})


class SavedViews:
    """The saved views beside a list, and the one that the list was opened as."""

    def __init__(self, user: User, form: FilterForm, choices: ListChoices) -> None:
        self._user, self._form = user, form
        self._views = usable_views(user)
        self._numbers = count_saved_views(user, self._views, choices)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The views with their numbers; None of a search."""
        return [
            view_payload(view)
            | {"is_here": view == self.current, "number": self._numbers.get(f"view-{view.pk}"), "office": view.office}
            for view in self._views
        ]

    @cached_property
    def current(self) -> SavedView | None:
        """The view that the list was opened as."""
        key = self._form.cleaned_data.get("view")
        return next((view for view in self._views if view.pk == key), None)

    @cached_property
    def query(self) -> str:
        """The filters of the list, to save."""
        return self._form.query(leave=("view",))

    @property
    def url(self) -> str:
        """The address of the view that the list was opened as."""
        return view_payload(self.current)["url"] if self.current is not None else ""

    @property
    def is_changed(self) -> bool:
        """Whether the list has other filters than the view that it was opened as."""
        return self.current is not None and self.current.query != self.query

    @property
    def can_update(self) -> bool:
        """Whether the user may give the view the filters of the list."""
        return self.current is not None and self.is_changed and policies.can_edit_view(self._user, self.current)

    @property
    def can_save(self) -> bool:
        """Whether the list has filters that are no view yet."""
        is_other = self.current is None or self.is_changed
        return not self._user.is_customer and bool(self.query) and is_other and not self._form.errors
