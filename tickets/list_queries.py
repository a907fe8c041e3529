"""The list as queries: which tickets a person asked for, in which order, a page at a time, and how many there are."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from accounts.models import DeskSettings, Office, User
from accounts.policies import staffed_offices
from realtime.utils import encryption
from tickets import policies
from tickets.models import Priority, Reply, Status, Ticket
from tickets.search import search

PAGE_SIZE = 50

ACTIVE = Q(status__is_closed=False)
View = Literal["active", "closed", "all", "waiting"]
DEFAULT_SORT = "-updated"
# What a page is ordered by: the annotation of `policies.listed_tickets` that says when, as this reader may know it.
SORT_KEYS = {"updated": "changed", "created": "created_at", "priority": "priority__order"}


@dataclass(frozen=True)
class Period:
    """From a moment on, and before another one; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def on(self, field: str) -> Q:
        """Return the condition that `field` lies within."""
        bounds = {f"{field}__gte": self.start, f"{field}__lt": self.end}
        return Q(**{name: moment for name, moment in bounds.items() if moment is not None})


@dataclass(frozen=True)
class TicketFilter:
    """What a person asked the list for."""

    view: View = "active"
    status: Status | None = None
    priority: Priority | None = None
    office: Office | None = None
    assignee: User | Literal["me", "none"] | None = None
    created: Period = Period()
    updated: Period = Period()
    words: str = ""
    sort: str = DEFAULT_SORT


@dataclass(frozen=True)
class Page:
    """Some rows, the cursors of the pages beside it, and whether the cursor that was asked for was of no use."""

    rows: list[Any]
    newer: str = ""
    older: str = ""
    is_first: bool = True
    is_astray: bool = False


def filter_tickets(user: User, wanted: TicketFilter) -> QuerySet[Ticket]:
    """Return the tickets of `user`'s list that are wanted; each condition by what its reader may know."""
    tickets = policies.listed_tickets(user).filter(
        _of_view(wanted, user) & wanted.created.on("created_at") & wanted.updated.on("changed")
    )
    if wanted.priority is not None:
        tickets = tickets.filter(priority=wanted.priority)
    if wanted.office is not None:
        tickets = tickets.filter(_of_office(wanted.office))
    if wanted.assignee is not None:
        tickets = tickets.filter(_of_assignee(wanted.assignee, user))
    return search(tickets, wanted.words, user=user) if wanted.words else tickets


def _of_view(wanted: TicketFilter, user: User) -> Q:
    if wanted.status is not None:
        return Q(status=wanted.status)
    views = {"active": ACTIVE, "closed": ~ACTIVE, "all": Q(), "waiting": Q(pk__in=waiting_for(user).values("pk"))}
    return views[wanted.view]


def _of_office(office: Office) -> Q:
    """Match an office; that an internal one works for him is not found out by who merely opened the ticket."""
    return Q(office=office, is_staffed=True) if office.is_internal else Q(office=office)


def _of_assignee(assignee: User | Literal["me", "none"], user: User) -> Q:
    """Match who works on a ticket; behind the mask of staff's names he is not found by who merely opened it."""
    if assignee == "none":
        return Q(assigned_to=None)
    found = Q(assigned_to=user if assignee == "me" else assignee)
    return found if DeskSettings.current().staff_names == DeskSettings.StaffNames.FULL else found & Q(is_staffed=True)


def waiting_for(user: User) -> QuerySet[Ticket]:
    """Return the open tickets of a customer whose latest public message is by somebody else."""
    public = Reply.objects.filter(ticket=OuterRef("pk"), is_internal=False).order_by("-number")
    own = policies.visible_tickets(user).filter(ACTIVE, creator=user)
    return own.alias(last=Subquery(public.values("author")[:1])).filter(last__isnull=False).exclude(last=user.pk)


# Pages: rows after or before a row, by the order and, where that is equal, by the key that no two rows share.


def paginate(
    tickets: QuerySet[Ticket], sort: str, *, after: str = "", before: str = "", size: int = PAGE_SIZE
) -> Page:
    """Return the page after or before a cursor; the first one if there is none, or it is of another order."""
    place = _open(after or before, sort)
    is_astray = bool(after or before) and place is None
    if place is None:
        return _page(tickets, sort, size, is_astray=is_astray)
    if after:
        return _page(tickets.filter(_beyond(sort, place)), sort, size, is_first=False)
    rows = list(_in_order(tickets.filter(_beyond(_reverse(sort), place)), _reverse(sort))[: size + 1])
    if len(rows) <= size:
        return _page(tickets, sort, size)
    rows = rows[:size][::-1]
    return Page(rows, newer=_close(rows[0], sort), older=_close(rows[-1], sort), is_first=False)


def _page(tickets: QuerySet[Ticket], sort: str, size: int, *, is_first: bool = True, is_astray: bool = False) -> Page:
    rows = list(_in_order(tickets, sort)[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        newer="" if is_first or not rows else _close(rows[0], sort),
        older=_close(rows[-1], sort) if has_more else "",
        is_first=is_first,
        is_astray=is_astray,
    )


def _in_order(tickets: QuerySet[Ticket], sort: str) -> QuerySet[Ticket]:
    sign = "-" if sort.startswith("-") else ""
    return tickets.annotate(place=F(_key(sort))).order_by(f"{sign}place", f"{sign}pk")


def _beyond(sort: str, place: tuple[Any, int]) -> Q:
    value, pk = place
    key, then = _key(sort), "lt" if sort.startswith("-") else "gt"
    return Q(**{f"{key}__{then}": value}) | Q(**{key: value, f"pk__{then}": pk})


def _key(sort: str) -> str:
    return SORT_KEYS[sort.removeprefix("-")]


def _reverse(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _close(ticket: Any, sort: str) -> str:
    """Return the place of a row sealed: its key counts the desk's tickets, which customers never see."""
    value = ticket.place.isoformat() if isinstance(ticket.place, datetime) else ticket.place
    return encryption.encrypt(json.dumps([sort, value, ticket.pk]), purpose="tickets.page")


def _open(cursor: str, sort: str) -> tuple[Any, int] | None:
    text = encryption.decrypt(cursor, purpose="tickets.page") if cursor else None
    if text is None:
        return None
    of_sort, value, pk = json.loads(text)
    if of_sort != sort:
        return None
    return datetime.fromisoformat(value) if isinstance(value, str) else value, pk


# How many: names are what `data-count` says in pages.


def counts(user: User, statuses: list[Status]) -> dict[str, int]:
    """Return how many tickets each view of `user`'s list has; for customers also those that wait for them."""
    of_status = {f"status-{status.pk}": Count("pk", filter=Q(status=status)) for status in statuses}
    of_views = {"all": Count("pk"), "active": Count("pk", filter=ACTIVE), "closed": Count("pk", filter=~ACTIVE)}
    tickets = policies.listed_tickets(user).order_by()
    if user.is_customer:
        return tickets.aggregate(**of_views, **of_status) | {"waiting": waiting_for(user).count()}
    is_mine = ACTIVE & Q(assigned_to=user)
    is_nobodys = ACTIVE & Q(assigned_to=None)
    of_hands = {"mine": Count("pk", filter=is_mine), "unassigned": Count("pk", filter=is_nobodys)}
    return tickets.aggregate(**of_views, **of_status, **of_hands) | office_counts(user)


def office_counts(user: User) -> dict[str, int]:
    """Return how many open tickets each of `user`'s offices has."""
    offices = staffed_offices(user).annotate(number=Count("tickets", filter=Q(tickets__status__is_closed=False)))
    return {f"office-{pk}": number for pk, number in offices.order_by().values_list("pk", "number")}
