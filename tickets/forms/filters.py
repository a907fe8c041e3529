"""The filters of the ticket list, for its page and the API."""

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.forms.choices import ListChoices
from tickets.forms.instances import InstancesField
from tickets.list_pages import BEST_MATCH, DEFAULT_SORT
from tickets.list_queries import Period, TicketFilter, View
from tickets.search import MAX_LENGTH, MAX_WORDS
from tickets.search.operators import expanded

EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)

VIEWS = [("active", _("Active")), ("closed", _("Closed")), ("all", _("All"))]
# For staff tickets that wait for them, for customers those that wait for the customer.
WAITING, WAITING_FOR_YOU = ("waiting", _("Needs reply")), ("waiting", _("Needs your reply"))
UNREAD = ("unread", _("Unread"))
SNOOZED = ("snoozed", _("Snoozed"))  # for staff
BEST = ("relevance", _("Best match"))
LONGEST_WAITING = ("waiting", _("Longest waiting first"))
FIRST_BACK = ("snoozed", _("First back"))  # of the view of snoozed tickets
# The order of a view, where it is not that of changes.
OF_VIEW = {WAITING[0]: LONGEST_WAITING, SNOOZED[0]: FIRST_BACK}
SORTS = [
    ("-updated", _("Recently updated")),
    ("updated", _("Least recently updated")),
    ("-created", _("Newest first")),
    ("created", _("Oldest first")),
    ("-priority", _("Most urgent first")),
    ("priority", _("Least urgent first")),
    LONGEST_WAITING,
]
# The filters that are shown as chips, in this order.
SHOWN = (
    "priority",
    "office",
    "assignee",
    "tag",
    "customer",
    "created_from",
    "created_to",
    "updated_from",
    "updated_to",
    "q",
)
ASSIGNEES = [("me", _("Me")), ("none", _("No one"))]


class DateInputField(forms.DateField):
    """A date as date inputs send it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": EARLIEST, "max": LATEST})
        limits = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        super().__init__(required=False, widget=widget, input_formats=["%Y-%m-%d"], validators=limits, **kwargs)


class FilterForm(forms.Form):
    """The filters of the ticket list. An invalid field shows an error and is ignored."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=MAX_LENGTH,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    created_from = DateInputField(label=_("Created on or after"))
    created_to = DateInputField(label=_("Created on or before"))
    updated_from = DateInputField(label=_("Updated on or after"))
    updated_to = DateInputField(label=_("Updated on or before"))

    def __init__(
        self, data: QueryDict, *, user: User, choices: ListChoices | None = None, default_view: View | None = None
    ) -> None:
        """Without a `default_view` the form is the page's: the active tickets, but a search looks everywhere.

        Operators in the search become values of the other fields.
        """
        data = expanded(data, is_staff=not user.is_customer)
        super().__init__(data, auto_id="filter-%s")
        self._is_search = bool(data.get("q", "").strip())
        self._default_view: View = default_view or ("all" if self._is_search else "active")
        choices = choices or ListChoices()
        # Customers must not filter by what they may not see.
        of_side = [WAITING_FOR_YOU, UNREAD] if user.is_customer else [WAITING, UNREAD, SNOOZED]
        views = [VIEWS[0], *of_side, *VIEWS[1:]]
        self.fields["status"] = InstancesField(choices.statuses, views, label=_("Status"))
        self.fields["sort"] = forms.ChoiceField(choices=self._sorts(user), label=_("Sort by"), required=False)
        if not user.is_customer:
            self._add_staff_fields(choices)
            if default_view is None:  # the saved view that the page was opened as
                self.fields["view"] = forms.IntegerField(required=False, widget=forms.HiddenInput, max_value=2**31)

    def _sorts(self, user: User) -> list[tuple[str, Any]]:
        """Return the orders, the default one as the empty choice."""
        sorts = [sort for sort in SORTS if not user.is_customer or "priority" not in sort[0]]
        chosen = self.data.getlist("status")  # type: ignore[attr-defined]
        of_view = OF_VIEW.get(chosen[0], sorts[0]) if len(chosen) == 1 else sorts[0]
        default = BEST if self._is_search else of_view
        sorts = [sort for sort in sorts if sort != default]
        named = [default] if self.data.get("sort") == default[0] else []
        return [("", default[1]), *named, *sorts]

    def _add_staff_fields(self, choices: ListChoices) -> None:
        # Pages offer the other tags when their field gets the focus.
        tags = choices.tags if any(self.data.getlist("tag")) else []  # type: ignore[attr-defined]
        self.fields["priority"] = InstancesField(choices.priorities, label=_("Priority"))
        self.fields["assignee"] = InstancesField(choices.assignees, ASSIGNEES, label=_("Assignee"))
        self.fields["office"] = InstancesField(choices.offices, label=_("Office"))
        self.fields["tag"] = InstancesField(tags, label=_("Tag"))
        self.fields["customer"] = forms.CharField(label=_("Customer"), required=False, max_length=100)

    def clean_q(self) -> str:
        """Limit the number of words."""
        words: str = self.cleaned_data["q"]
        if len(words.split()) > MAX_WORDS:
            raise ValidationError(_("Use at most %(most)d search terms.") % {"most": MAX_WORDS})
        return words

    def clean(self) -> dict[str, Any]:
        """Reject a period that ends before it begins."""
        for name in ("created", "updated"):
            first, last = (self.cleaned_data.get(f"{name}_{end}") for end in ("from", "to"))
            if first and last and last < first:
                self.add_error(f"{name}_to", _("The end date is before the start date."))
        return self.cleaned_data

    def ticket_filter(self) -> TicketFilter:
        """Return the filter, without invalid fields."""
        self.is_valid()
        chosen = self._chosen("status")
        views: list[View] = [each for each in chosen if isinstance(each, str)]  # type: ignore[misc]
        words = self.cleaned_data.get("q", "")
        return TicketFilter(
            views=tuple(views) if chosen else (self._default_view,),
            statuses=tuple(each for each in chosen if not isinstance(each, str)),
            priorities=self._chosen("priority"),
            offices=self._chosen("office"),
            assignees=self._chosen("assignee"),
            tags=self._chosen("tag"),
            customer=self.cleaned_data.get("customer", ""),
            created=self._period("created"),
            updated=self._period("updated"),
            words=words,
            sort=self._sort(bool(words), chosen),
        )

    def _chosen(self, name: str) -> tuple[Any, ...]:
        return tuple(self.cleaned_data.get(name) or ())

    def _sort(self, is_search: bool, chosen: tuple[Any, ...]) -> str:
        sort: str = self.cleaned_data.get("sort", "")
        if sort not in ("", BEST[0]):
            return sort
        if is_search:
            return BEST_MATCH
        return OF_VIEW[chosen[0]][0] if len(chosen) == 1 and chosen[0] in OF_VIEW else DEFAULT_SORT

    def _period(self, name: str) -> Period:
        first, last = (self.cleaned_data.get(f"{name}_{end}") for end in ("from", "to"))
        return Period(_start_of_day(first), _start_of_day(last + timedelta(days=1)) if last else None)

    def menus(self) -> list[dict[str, Any]]:
        """Return the filters that take several values, with the labels of those that are chosen, or of none."""
        unset = {"status": dict(VIEWS)[self._default_view], "assignee": _("Anyone")}
        menus = [self[name] for name, field in self.fields.items() if isinstance(field, InstancesField)]
        return [
            {
                "field": menu,
                "chosen": [self._label(menu.name, value) for value in self._chosen(menu.name)],
                "unset": unset.get(menu.name, _("Any")),
            }
            for menu in menus
        ]

    def _label(self, name: str, value: Any) -> str:
        labels: dict[Any, Any] = dict(self.fields[name].choices)  # type: ignore[attr-defined]
        return str(labels.get(value, value))

    def chips(self) -> list[dict[str, Any]]:
        """Return the active filters, one for each value: the label, the value, and the query without it."""
        # The heading names the status, except of a search, of several and of a saved view.
        is_named = not any(map(self.cleaned_data.get, ("q", "view"))) and len(self._chosen("status")) < 2
        return self._chips_of(*SHOWN) if is_named else self._chips_of("status", *SHOWN)

    def facts(self) -> list[dict[str, Any]]:
        """Return all filters and the order, as `chips` does."""
        self.is_valid()
        return self._chips_of("status", *SHOWN, "sort")

    def _chips_of(self, *names: str) -> list[dict[str, Any]]:
        return [chip for name in names if self.cleaned_data.get(name) for chip in self._chips(name)]

    def _chips(self, name: str) -> list[dict[str, Any]]:
        value, label = self.cleaned_data[name], self.fields[name].label
        if isinstance(value, list):
            return [
                {"label": label, "value": self._label(name, each), "query": self.query(without=(name, _key(each)))}
                for each in value
            ]
        shown = formats.date_format(value, "SHORT_DATE_FORMAT") if isinstance(value, date) else value
        shown = self._label(name, value) if name == "sort" else shown
        return [{"label": label, "value": shown, "query": self.query(without=(name, self.data[name]))}]

    def query(self, *, without: tuple[str, str] | None = None, leave: Collection[str] = ()) -> str:
        """Return the query string of the form, with keys instead of names.

        `without` is one value of a field, `leave` are fields to leave out.
        """
        query = QueryDict(mutable=True)
        for name, field in self.fields.items():
            if name in leave:
                continue
            values = self[name].value() if isinstance(field, InstancesField) else [self.data.get(name)]
            query.setlist(name, [value for value in values if value and (name, value) != without])
        return query.urlencode()


def _key(value: Any) -> str:
    return value if isinstance(value, str) else str(value.pk)


def _start_of_day(day: date | None) -> datetime | None:
    """Return the start of a day in the user's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()) if day else None
