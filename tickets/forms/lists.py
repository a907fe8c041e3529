"""Forms of the ticket list: its filters, and changes to several tickets."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Model
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.text.choices import in_short, is_named
from tickets.forms.choices import ListChoices
from tickets.list_queries import BEST_MATCH, DEFAULT_SORT, Period, TicketFilter, View
from tickets.models import Status, Tag
from tickets.search import MAX_LENGTH, MAX_WORDS
from tickets.search.operators import expanded

MAX_BULK_TICKETS = 100
EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)

VIEWS = [("active", _("Active")), ("closed", _("Closed")), ("all", _("All"))]
# For staff tickets that wait for them, for customers those that wait for the customer.
WAITING, WAITING_FOR_YOU = ("waiting", _("Needs reply")), ("waiting", _("Needs your reply"))
UNREAD = ("unread", _("Unread"))
BEST = ("relevance", _("Best match"))
LONGEST_WAITING = ("waiting", _("Longest waiting first"))
SORTS = [
    ("-updated", _("Recently updated")),
    ("updated", _("Least recently updated")),
    ("-created", _("Newest first")),
    ("created", _("Oldest first")),
    ("-priority", _("Most urgent first")),
    ("priority", _("Least urgent first")),
    LONGEST_WAITING,
]
ASSIGNEES = [("me", _("Me")), ("none", _("No one"))]


class InstanceChoiceField(forms.ChoiceField):
    """A choice of model instances, read once for choices and validation, with additional words."""

    def __init__(self, rows: Iterable[Model], words: Iterable[tuple[str, Any]] = (), **kwargs: Any) -> None:
        self.rows = {str(row.pk): row for row in rows}
        words = list(words)
        self.accepted = [*(word for word, _label in words if word), *map(str, self.rows.values())]
        choices = [*words, *((key, str(row)) for key, row in self.rows.items())]
        super().__init__(choices=choices, required=False, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return the instance, by key or by name in any case, the word, or None. Digits are always a key."""
        chosen = super().clean(self._key_of(value))
        return self.rows.get(chosen, chosen) or None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what the page shows as chosen: the key, also of a name."""
        return self._key_of(super().bound_data(data, initial))

    def _key_of(self, value: Any) -> Any:
        if not value or value.isdigit() or self.valid_value(value):
            return value
        return next((key for key, row in self.rows.items() if is_named(row, value)), value)

    def validate(self, value: Any) -> None:
        """Raise ValidationError with the possible values."""
        if value and not self.valid_value(value):
            accepted = in_short(self.accepted)
            raise ValidationError(
                _("Unknown value. Choose one of: %(choices)s.") % {"choices": accepted}, "invalid_choice"
            )


class DateInputField(forms.DateField):
    """A date as date inputs send it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "min": EARLIEST, "max": LATEST})
        limits = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        super().__init__(required=False, widget=widget, input_formats=["%Y-%m-%d"], validators=limits, **kwargs)


class TagField(forms.CharField):
    """A tag, by its name in any case or by its key. Pages offer the names when the field gets the focus."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"list": "tag-options", "autocomplete": "off"}
        super().__init__(required=False, max_length=40, widget=forms.TextInput(attrs=attrs), **kwargs)

    def clean(self, value: Any) -> Tag | None:
        """Return the tag. Raises ValidationError with the possible names."""
        text = super().clean(value)
        if not text:
            return None
        tags = list(Tag.objects.all())
        found = next((tag for tag in tags if is_named(tag, text) or str(tag.pk) == text), None)
        if found is None:
            accepted = in_short(tag.name for tag in tags)
            raise ValidationError(
                _("Unknown value. Choose one of: %(choices)s.") % {"choices": accepted}, "invalid_choice"
            )
        return found


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
        views = [VIEWS[0], WAITING_FOR_YOU if user.is_customer else WAITING, UNREAD, *VIEWS[1:]]
        if default_view is None:
            views = self._with_default(views)
        self.fields["status"] = InstanceChoiceField(choices.statuses, views, label=_("Status"))
        self.fields["sort"] = forms.ChoiceField(choices=self._sorts(user), label=_("Sort by"), required=False)
        if not user.is_customer:
            self._add_staff_fields(choices)

    def _with_default(self, views: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        """Return the views with the default as the empty choice: only then does a submitted form leave it open."""
        default, chosen = self._default_view, self.data.get("status")
        others = [view for view in views if view[0] != default or chosen == default]
        return [("", dict(views)[default]), *others]

    def _sorts(self, user: User) -> list[tuple[str, Any]]:
        """Return the orders, the default one as the empty choice."""
        sorts = [sort for sort in SORTS if not user.is_customer or "priority" not in sort[0]]
        is_waiting = self.data.get("status") == WAITING[0]
        default = BEST if self._is_search else LONGEST_WAITING if is_waiting else sorts[0]
        sorts = [sort for sort in sorts if sort != default]
        chosen = [default] if self.data.get("sort") == default[0] else []
        return [("", default[1]), *chosen, *sorts]

    def _add_staff_fields(self, choices: ListChoices) -> None:
        anyone = ("", _("Anyone"))
        self.fields["priority"] = InstanceChoiceField(choices.priorities, [("", _("Any"))], label=_("Priority"))
        self.fields["assignee"] = InstanceChoiceField(choices.assignees, [anyone, *ASSIGNEES], label=_("Assignee"))
        self.fields["office"] = InstanceChoiceField(choices.offices, [("", _("Any"))], label=_("Office"))
        self.fields["tag"] = TagField(label=_("Tag"))
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
        status = self.cleaned_data.get("status")
        words = self.cleaned_data.get("q", "")
        return TicketFilter(
            view=self._default_view if status is None else "all" if isinstance(status, Status) else status,
            status=status if isinstance(status, Status) else None,
            priority=self.cleaned_data.get("priority"),
            office=self.cleaned_data.get("office"),
            assignee=self.cleaned_data.get("assignee"),
            tag=self.cleaned_data.get("tag"),
            customer=self.cleaned_data.get("customer", ""),
            created=self._period("created"),
            updated=self._period("updated"),
            words=words,
            sort=self._sort(bool(words), status == WAITING[0]),
        )

    def _sort(self, is_search: bool, is_waiting: bool) -> str:
        sort: str = self.cleaned_data.get("sort", "")
        if sort not in ("", BEST[0]):
            return sort
        if is_search:
            return BEST_MATCH
        return LONGEST_WAITING[0] if is_waiting else DEFAULT_SORT

    def _period(self, name: str) -> Period:
        first, last = (self.cleaned_data.get(f"{name}_{end}") for end in ("from", "to"))
        return Period(_start_of_day(first), _start_of_day(last + timedelta(days=1)) if last else None)

    def chips(self) -> list[dict[str, Any]]:
        """Return the active filters: the label, the value, and the query without this filter."""
        # The heading names the view, except of a search.
        views = ["status"] if self.cleaned_data.get("q") else []
        names = [
            *views,
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
        ]
        return [self._chip(name) for name in names if self.cleaned_data.get(name)]

    def _chip(self, name: str) -> dict[str, Any]:
        value = self.cleaned_data[name]
        if isinstance(value, date):
            value = formats.date_format(value, "SHORT_DATE_FORMAT")
        shown = dict([*ASSIGNEES, *VIEWS, WAITING, UNREAD]).get(value, value)
        return {"label": self.fields[name].label, "value": shown, "query": self.query(name)}

    def query(self, *without: str) -> str:
        """Return the query string of the form, without some of its fields."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            if name not in without and self.data.get(name):
                query[name] = self.data[name]
        return query.urlencode()


def _start_of_day(day: date | None) -> datetime | None:
    """Return the start of a day in the user's time zone."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()) if day else None


class BulkForm(forms.Form):
    """New values for the selected tickets; an empty field is not changed."""

    def __init__(self, data: QueryDict | None = None, *, choices: ListChoices | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s")
        choices, same = choices or ListChoices(), ("", _("Unchanged"))
        self.fields["status"] = InstanceChoiceField(choices.statuses, [same], label=_("Status"))
        self.fields["priority"] = InstanceChoiceField(choices.priorities, [same], label=_("Priority"))
        people = choices.assignees
        self.fields["assigned_to"] = InstanceChoiceField(people, [same, *ASSIGNEES], label=_("Assignee"))
        self.fields["office"] = InstanceChoiceField(choices.offices, [same], label=_("Office"))
        self.fields["tag"] = forms.CharField(
            label=_("Add a tag"),
            required=False,
            max_length=40,
            widget=forms.TextInput(attrs={"list": "tag-options", "autocomplete": "off"}),
        )

    def clean(self) -> dict[str, Any]:
        """Require 1 to MAX_BULK_TICKETS tickets and at least one change."""
        self.uuids = self._uuids()
        if not self.errors and not any(self.cleaned_data.values()):
            raise ValidationError(_("Choose at least one change."))
        return self.cleaned_data

    def _uuids(self) -> set[UUID]:
        try:
            uuids = {UUID(text) for text in self.data.getlist("tickets")}  # type: ignore[attr-defined]
        except ValueError:
            raise ValidationError(
                _("The selection is invalid. Reload the page and select the tickets again.")
            ) from None
        if not uuids:
            raise ValidationError(_("Select at least one ticket."))
        if len(uuids) > MAX_BULK_TICKETS:
            raise ValidationError(_("Select at most %(most)d tickets.") % {"most": MAX_BULK_TICKETS})
        return uuids

    def values(self, *, by: User) -> dict[str, Any]:
        """Return the chosen fields and their new values."""
        words = {"me": by, "none": None}
        fields = {name: value for name, value in self.cleaned_data.items() if name != "tag"}
        chosen = {name: value for name, value in fields.items() if value is not None}
        return {name: words[value] if isinstance(value, str) else value for name, value in chosen.items()}
