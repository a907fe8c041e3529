"""The figures of a report, for the tickets that a member of staff works on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, F, QuerySet
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Office, User
from tickets import policies
from tickets.models import Tag, Ticket
from tickets.reports.percentiles import Percentile

MAX_DAYS: Final = 731
MEDIAN, MOST = 0.5, 0.9

Key = Any  # the first day of a week, the primary key of an office, person or tag, or None


@dataclass(frozen=True)
class Scope:
    """Which tickets a report is about: whole days in the time zone of the reader, `last` included."""

    reader: User
    first: date
    last: date
    office: Office | None = None
    agent: User | None = None
    tag: Tag | None = None

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1))

    @property
    def weeks(self) -> list[date]:
        """The Mondays of all weeks, the first and the last of which may be cut."""
        monday = self.first - timedelta(days=self.first.weekday())
        return [monday + timedelta(weeks=number) for number in range((self.last - monday).days // 7 + 1)]

    def tickets(self) -> QuerySet[Ticket]:
        """Return the tickets of any time."""
        found = Ticket.objects.filter(policies.staffed_by(self.reader)).order_by()
        if self.office is not None:
            found = found.filter(office=self.office)
        if self.agent is not None:
            found = found.filter(assigned_to=self.agent)
        if self.tag is not None:
            # A subquery: a report by tags joins all tags of a ticket.
            found = found.filter(pk__in=Ticket.tags.through.objects.filter(tag=self.tag).values("ticket"))
        return found


@dataclass(frozen=True)
class Figures:
    """One line of a report. `open` is the number at the end of the period, of a week at the end of the week.

    Times to the first reply are of tickets opened in the period, times to close of those closed in it.
    """

    label: str
    opened: int = 0
    closed: int = 0
    open: int | None = None
    first_reply: timedelta | None = None
    first_reply_of_most: timedelta | None = None
    closing: timedelta | None = None
    closing_of_most: timedelta | None = None


@dataclass(frozen=True)
class Report:
    """A report: its total, its weeks for the charts, and its lines by the chosen grouping."""

    total: Figures
    weeks: list[Figures]
    lines: list[Figures]


def make_report(scope: Scope, grouping: str) -> Report:
    """Compute a report, grouped by "week", "office", "agent" or "tag"."""
    total = _figures(scope, None)[None]
    weeks = _figures(scope, "week")
    weekly = [replace(weeks.get(week, Figures("")), label=_week_label(week)) for week in scope.weeks]
    is_open = _open_at(scope)
    weekly = _with_open(weekly, is_open)
    lines = weekly if grouping == "week" else _lines(scope, grouping)
    return Report(replace(total, label=_("Total"), open=is_open), weekly, lines)


def _figures(scope: Scope, grouping: str | None) -> dict[Key, Figures]:
    """Return what was opened and closed in the period, by key."""
    lines: dict[Key, Figures] = {} if grouping else {None: Figures("")}
    opened = scope.tickets().filter(created_at__gte=scope.start, created_at__lt=scope.end)
    waited = F("first_replied_at") - F("created_at")
    for key, number, half, most in _grouped(opened, grouping, "created_at", waited):
        lines[key] = Figures("", opened=number, first_reply=half, first_reply_of_most=most)
    closed = scope.tickets().filter(closed_at__gte=scope.start, closed_at__lt=scope.end)
    for key, number, half, most in _grouped(closed, grouping, "closed_at", F("closed_at") - F("created_at")):
        before = lines.get(key, Figures(""))
        lines[key] = replace(before, closed=number, closing=half, closing_of_most=most)
    return lines


def _grouped(tickets: QuerySet[Ticket], grouping: str | None, moment: str, duration: Any) -> list[tuple[Any, ...]]:
    """Return rows of key, number, median, and what nine of ten do not exceed."""
    figures = {"number": Count("pk"), "half": Percentile(duration, MEDIAN), "most": Percentile(duration, MOST)}
    if grouping is None:
        found = tickets.aggregate(**figures)
        return [(None, found["number"], found["half"], found["most"])]
    rows = tickets.values(key=_key(grouping, moment)).annotate(**figures)
    keyed = rows.values_list("key", *figures)
    return [(_day(key), *others) for key, *others in keyed]


def _key(grouping: str, moment: str) -> Any:
    if grouping == "week":
        return TruncWeek(moment)
    return F({"office": "office", "agent": "assigned_to", "tag": "tags"}[grouping])


def _day(key: Key) -> Key:
    return timezone.localtime(key).date() if isinstance(key, datetime) else key


def _lines(scope: Scope, grouping: str) -> list[Figures]:
    """Return a line for each office, person or tag that has figures, by name; those of none come last."""
    figures, is_open = _figures(scope, grouping), _open_by(scope, grouping)
    keys = {*figures, *is_open}
    names = _NAMES[grouping]([key for key in keys if key is not None])
    named = sorted((key for key in keys if key in names), key=lambda key: names[key].casefold())
    if None in keys:
        names, named = {**names, None: _nothing(grouping)}, [*named, None]
    empty = Figures("")
    return [replace(figures.get(key, empty), label=names[key], open=is_open.get(key)) for key in named]


def _nothing(grouping: str) -> str:
    return {"agent": _("Unassigned"), "tag": _("No tag")}.get(grouping, "")


_NAMES: dict[str, Callable[[list[Any]], dict[Key, str]]] = {
    "office": lambda keys: {each.pk: each.name for each in Office.objects.filter(pk__in=keys)},
    "agent": lambda keys: {each.pk: each.name for each in User.objects.filter(pk__in=keys)},
    "tag": lambda keys: {each.pk: each.name for each in Tag.objects.filter(pk__in=keys)},
}


def _open_by(scope: Scope, grouping: str) -> dict[Key, int]:
    """Return the tickets that are open now, by key; none for a period that has ended."""
    if scope.end <= timezone.now():
        return {}
    rows = scope.tickets().filter(closed_at=None).values(key=_key(grouping, "")).annotate(number=Count("pk"))
    return dict(rows.values_list("key", "number"))


def _open_at(scope: Scope) -> int:
    """Return the number of tickets that were open at the end of the period.

    Counted back from the present, so that the work grows with what is open and with the period.
    """
    tickets = scope.tickets()
    opened_since = tickets.filter(created_at__gte=scope.end).count()
    return tickets.filter(closed_at=None).count() - opened_since + tickets.filter(closed_at__gte=scope.end).count()


def _with_open(weeks: list[Figures], number: int) -> list[Figures]:
    """Add the number of open tickets at the end of each week, back from that at the end of the last one."""
    lines = []
    for week in reversed(weeks):
        lines.append(replace(week, open=number))
        number += week.closed - week.opened
    return lines[::-1]


def _week_label(monday: date) -> str:
    return date_format(monday, "SHORT_DATE_FORMAT")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone())
