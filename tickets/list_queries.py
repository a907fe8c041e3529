"""Queries of the ticket list: filters, and pages by cursor."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Literal
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest, Now

from accounts.customers import people_named
from accounts.models import DeskSettings, Office, User
from realtime.utils import encryption
from tickets import policies
from tickets.models import Priority, Status, Tag, Ticket, WaitingFor
from tickets.reading.queries import with_unread
from tickets.search import is_frequent, search

PAGE_SIZE = 50
MAX_COUNT = 1000  # a page shows "999+" for this number
# The latest tickets in which the first page of a search for frequent words looks, one number after the other.
LATEST = (2_000, 10_000)
ENOUGH = 201  # whole matches among them: more than any page shows

View = Literal["active", "closed", "all", "waiting", "unread", "snoozed"]
Assignee = User | Literal["me", "none"]
DEFAULT_SORT = "-updated"
BEST_MATCH = "-relevance"
# `changed` is an annotation of `policies.listed_tickets`: the last change that the user may see.
SORT_KEYS = {
    "updated": ["changed"],
    "created": ["created_at"],
    "priority": ["priority__order"],
    "waiting": ["waiting_since"],
    "snoozed": ["snoozed_until"],  # of the view of snoozed tickets
    "relevance": ["is_whole", "changed"],  # of a search
}


@dataclass(frozen=True)
class Period:
    """A period from `start` to before `end`; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    def on(self, field: str) -> Q:
        """Return the condition that `field` lies within the period."""
        bounds = {f"{field}__gte": self.start, f"{field}__lt": self.end}
        return Q(**{name: moment for name, moment in bounds.items() if moment is not None})


@dataclass(frozen=True)
class TicketFilter:
    """The filters, search words and order of the ticket list.

    Of several values of one kind, a ticket has any; views and statuses are one kind.
    """

    views: tuple[View, ...] = ("active",)
    statuses: tuple[Status, ...] = ()
    priorities: tuple[Priority, ...] = ()
    offices: tuple[Office, ...] = ()
    assignees: tuple[Assignee, ...] = ()
    tags: tuple[Tag, ...] = ()
    customer: str = ""
    created: Period = Period()
    updated: Period = Period()
    words: str = ""
    sort: str = DEFAULT_SORT


@dataclass(frozen=True)
class Page:
    """The rows of a page, and the cursors of the newer and the older page."""

    rows: list[Any]
    newer: str = ""
    older: str = ""
    is_first: bool = True
    is_cursor_invalid: bool = False


@dataclass(frozen=True)
class Found:
    """The tickets that match; `is_partial` if only the latest were looked at, and there may be more."""

    tickets: QuerySet[Ticket]
    is_partial: bool = False


def find_tickets(user: User, ticket_filter: TicketFilter, *, is_first_page: bool = False) -> Found:
    """Return the tickets of `user` that match. No condition reveals what the user may not see.

    `is_first_page`: no more is needed than the first page, and a number of tickets that is not too high.
    """
    tickets = matching(user, ticket_filter)
    if not ticket_filter.words:
        return Found(tickets)
    latest = _search_latest(tickets, ticket_filter, user) if is_first_page else None
    return latest or Found(search(tickets, ticket_filter.words, user=user))


def filter_tickets(user: User, ticket_filter: TicketFilter) -> QuerySet[Ticket]:
    """Return all tickets of `user` that match."""
    return find_tickets(user, ticket_filter).tickets


def matching(user: User, ticket_filter: TicketFilter, statuses: Sequence[Status] | None = None) -> QuerySet[Ticket]:
    """Return the tickets that match all but the words. `statuses` are all of the desk, which are read otherwise."""
    tickets = policies.listed_tickets(user)
    if "unread" in ticket_filter.views:
        # The same times, but without an index: in its order, PostgreSQL reads all tickets to find the few unread.
        tickets = with_unread(tickets.annotate(changed=Greatest("changed", "created_at")), user)
    return tickets.filter(matches(ticket_filter, user, statuses))


def matches(ticket_filter: TicketFilter, user: User, statuses: Sequence[Status] | None = None) -> Q:
    """Match all but the words, in the query of `policies.listed_tickets`; "unread" needs its annotation."""
    found = _matches_views(ticket_filter, user, statuses)
    found &= ticket_filter.created.on("created_at") & ticket_filter.updated.on("changed")
    if ticket_filter.priorities:
        found &= Q(priority__in=[priority.pk for priority in ticket_filter.priorities])
    if ticket_filter.offices:
        found &= _any(_matches_office(office) for office in ticket_filter.offices)
    if ticket_filter.tags:
        found &= _matches_tags(ticket_filter.tags)
    if ticket_filter.customer:
        found &= _matches_customer(ticket_filter.customer)
    if ticket_filter.assignees:
        found &= _any(_matches_assignee(assignee, user) for assignee in ticket_filter.assignees)
    return found


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _search_latest(tickets: QuerySet[Ticket], ticket_filter: TicketFilter, user: User) -> Found | None:
    """Search the latest tickets for frequent words; None unless they have enough matches, or are all.

    The first page needs no others then: whole words come first, then the latest change. To read and sort all tickets
    with a word that many of them contain would take seconds on a large site.
    """
    if ticket_filter.sort != BEST_MATCH or user.is_customer or not is_frequent(ticket_filter.words):
        return None
    visible = policies.visible_tickets(user)
    times = visible.order_by("-updated_at").values_list("updated_at", flat=True)
    for number in LATEST:
        oldest = times[number : number + 1].first()
        if oldest is None:
            return Found(search(tickets, ticket_filter.words, user=user, within=visible))
        # `changed` is never later than `updated_at`.
        latest, within = tickets.filter(Q(changed__gte=oldest)), visible.filter(updated_at__gte=oldest)
        found = search(latest, ticket_filter.words, user=user, within=within)
        if found.filter(Q(is_whole=True)).order_by()[:ENOUGH].count() == ENOUGH:
            return Found(found, is_partial=True)
    return None


def _matches_views(ticket_filter: TicketFilter, user: User, statuses: Sequence[Status] | None) -> Q:
    if "all" in ticket_filter.views:
        return Q()
    chosen = [has_status([status.pk for status in ticket_filter.statuses])] if ticket_filter.statuses else []
    return _any([*chosen, *(_matches_view(view, user, statuses) for view in ticket_filter.views)])


def _matches_view(view: View, user: User, statuses: Sequence[Status] | None) -> Q:
    is_closed = view == "closed"
    if statuses is None:
        keys = Status.keys(is_closed=is_closed)
    else:
        keys = [status.pk for status in statuses if status.is_closed == is_closed]
    if view == "unread":
        return Q(is_unread=True) & may_be_unread(user, keys)
    found = has_status(keys)
    if view == "closed":
        return found
    if view == "snoozed":
        return found & is_snoozed()
    found &= is_awake(user)
    return found & waits_for_side_of(user) if view == "waiting" else found


def _matches_office(office: Office) -> Q:
    """Match an office. Its customer must not find out that an internal office has the ticket."""
    return Q(office=office, is_staffed=True) if office.is_internal else Q(office=office)


def _matches_tags(tags: Iterable[Tag]) -> Q:
    """Match any of the tags. Its customer must not find out that a ticket has one, even if they are an agent."""
    tagged = Ticket.tags.through._default_manager.filter(tag__in=[tag.pk for tag in tags])
    return Q(pk__in=tagged.values("ticket"), is_staffed=True)


def _matches_customer(text: str) -> Q:
    """Match the customer by name or address, which only staff of a ticket may find it by."""
    people = people_named(User.objects.filter(erased_at=None), text)
    return Q(creator__in=people.values("pk"), is_staffed=True)


def _matches_assignee(assignee: Assignee, user: User) -> Q:
    """Match the assignee. Its customer must not find out who it is while staff names are masked."""
    if assignee == "none":
        return Q(assigned_to=None)
    found = Q(assigned_to=user if assignee == "me" else assignee)
    return found if DeskSettings.current().staff_names == DeskSettings.StaffNames.FULL else found & Q(is_staffed=True)


def has_status(keys: list[int]) -> Q:
    """Match tickets of these statuses. The planner knows how few are open from the keys, but not from a join."""
    return Q(status__in=keys)


def waits_for_side_of(user: User) -> Q:
    """Match the tickets in which the user's side has to write next: staff, or they as the customer."""
    if user.is_customer:
        return Q(creator=user, waiting_for=WaitingFor.CUSTOMER)
    return Q(is_staffed=True, waiting_for=WaitingFor.STAFF)


def is_snoozed() -> Q:
    """Match what is snoozed, for its staff: customers must not find out.

    The time counts, and not only the job that ends it: no ticket stays hidden because no worker runs.
    """
    return Q(is_staffed=True, snoozed_until__gt=Now())


def is_awake(user: User) -> Q:
    """Match what staff do not see as snoozed, and for customers everything."""
    return Q() if user.is_customer else Q(is_staffed=False) | is_not_snoozed()


def is_not_snoozed() -> Q:
    """Match what is not snoozed."""
    return Q(snoozed_until=None) | Q(snoozed_until__lte=Now())


def may_be_unread(user: User, open_keys: list[int]) -> Q:
    """Match what "Unread" looks at: open tickets, and a customer's own, which the last reply may have closed."""
    found = has_status(open_keys)
    return found | Q(creator=user) if user.is_customer else found


# Keyset pagination: by the sort value, then by the primary key.


def paginate(
    tickets: QuerySet[Ticket], sort: str, *, after: str = "", before: str = "", size: int = PAGE_SIZE
) -> Page:
    """Return the page after or before a cursor; the first page without one, or if it belongs to another order."""
    place = _decode_cursor(after or before, sort)
    is_cursor_invalid = bool(after or before) and place is None
    if place is None:
        return _page(tickets, sort, size, is_cursor_invalid=is_cursor_invalid)
    if after:
        return _page(tickets.filter(_after(sort, place)), sort, size, is_first=False)
    rows = list(_sorted(tickets.filter(_after(_reverse(sort), place)), _reverse(sort))[: size + 1])
    if len(rows) <= size:
        return _page(tickets, sort, size)
    rows = rows[:size][::-1]
    return Page(rows, newer=_encode_cursor(rows[0], sort), older=_encode_cursor(rows[-1], sort), is_first=False)


def neighbours(user: User, ticket_filter: TicketFilter, ticket: Ticket) -> tuple[UUID | None, UUID | None]:
    """Return the UUIDs of the tickets before and after `ticket`, which may not match the filter itself."""
    sort = ticket_filter.sort
    row: Any = _sorted(policies.listed_tickets(user).filter(pk=ticket.pk), sort).first()
    if row is None:
        return None, None
    place = [*(getattr(row, f"place_{number}") for number in range(len(_keys(sort)))), row.pk]
    if None in place:  # no longer snoozed
        return None, None
    tickets = filter_tickets(user, ticket_filter)
    before, after = (
        _sorted(tickets.filter(_after(order, place)), order).values_list("uuid", flat=True).first()
        for order in (_reverse(sort), sort)
    )
    return before, after


def _page(
    tickets: QuerySet[Ticket], sort: str, size: int, *, is_first: bool = True, is_cursor_invalid: bool = False
) -> Page:
    rows = list(_sorted(tickets, sort)[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        newer="" if is_first or not rows else _encode_cursor(rows[0], sort),
        older=_encode_cursor(rows[-1], sort) if has_more else "",
        is_first=is_first,
        is_cursor_invalid=is_cursor_invalid,
    )


def _sorted(tickets: QuerySet[Ticket], sort: str) -> QuerySet[Ticket]:
    sign = "-" if sort.startswith("-") else ""
    places = {f"place_{number}": F(key) for number, key in enumerate(_keys(sort))}
    return tickets.annotate(**places).order_by(*(f"{sign}{name}" for name in (*places, "pk")))


def _after(sort: str, place: list[Any]) -> Q:
    """Match what follows the values of the sort keys and the primary key: the first that differs decides."""
    then = "lt" if sort.startswith("-") else "gt"
    keys = [*_keys(sort), "pk"]
    condition = Q(**{f"{keys[-1]}__{then}": place[-1]})
    for key, value in zip(keys[-2::-1], place[-2::-1], strict=True):
        condition = Q(**{f"{key}__{then}": value}) | Q(**{key: value}) & condition
    return condition


def _keys(sort: str) -> list[str]:
    return SORT_KEYS[sort.removeprefix("-")]


def _reverse(sort: str) -> str:
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _encode_cursor(ticket: Any, sort: str) -> str:
    """Return an encrypted cursor: the primary key would reveal the number of tickets to customers."""
    values = [getattr(ticket, f"place_{number}") for number in range(len(_keys(sort)))]
    place = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return encryption.encrypt(json.dumps([sort, *place, ticket.pk]), purpose="tickets.page")


def _decode_cursor(cursor: str, sort: str) -> list[Any] | None:
    text = encryption.decrypt(cursor, purpose="tickets.page") if cursor else None
    if text is None:
        return None
    of_sort, *place = json.loads(text)
    if of_sort != sort:
        return None
    return [datetime.fromisoformat(value) if isinstance(value, str) else value for value in place]
