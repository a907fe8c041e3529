"""Numbers of tickets beside views and offices. They grow with what is open, not with what was ever closed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Value

from accounts.models import User
from accounts.policies import staffed_offices
from realtime.utils.compiled_query import CompiledQuery
from tickets import policies
from tickets.list_queries import (
    IS_OPEN,
    MAX_COUNT,
    TicketFilter,
    is_awake,
    is_not_snoozed,
    is_snoozed,
    matches,
    matching,
    may_be_unread,
    waits_for_side_of,
)
from tickets.models import Status, Ticket
from tickets.reading.queries import with_unread
from tickets.search.pages import Found


def count(tickets: QuerySet[Ticket]) -> int:
    """Return the number of `tickets`, at most MAX_COUNT: the database stops there."""
    return tickets.order_by()[:MAX_COUNT].count()


def count_found(found: Found) -> tuple[int, bool]:
    """Return the number of found tickets, and whether there are more."""
    if found.at_least is not None and found.at_least < MAX_COUNT:
        return (found.at_least - 1) // 100 * 100, True
    number = count(found.tickets) if found.at_least is None else MAX_COUNT
    return min(number, MAX_COUNT - 1), number == MAX_COUNT


def counts(user: User, statuses: list[Status]) -> dict[str, int]:
    """Return the number of tickets in each view of the user's list, by the value of `data-count` in pages.

    Open tickets are counted in one query; those of each closed status, and so "all", up to MAX_COUNT.
    """
    tickets = policies.listed_tickets(user).order_by()
    is_open = [status for status in statuses if not status.is_closed]
    numbers = _count_open(user, is_open) | {"unread": _count_unread(user)}
    closed = {f"status-{each.pk}": count(tickets.filter(status=each)) for each in statuses if each.is_closed}
    is_all = numbers["active"] + numbers.get("snoozed", 0) + sum(closed.values())
    numbers |= closed | {"closed": sum(closed.values()), "all": is_all}
    if not user.is_customer:
        numbers |= _count_by_office(user)
    return {name: min(number, MAX_COUNT) for name, number in numbers.items()}


def _count_open(user: User, statuses: list[Status]) -> dict[str, int]:
    """Return the number of open tickets in each view, and of each open status."""
    keys = [status.pk for status in statuses]
    names = [*_views_of(user), *(f"status-{key}" for key in keys)]
    rows = _open_numbers.rows(*user.kind, user_id=user.pk, statuses=keys)
    numbers = rows[0] if rows else [0] * len(names)
    return dict(zip(names, numbers, strict=False))  # the list of statuses was padded


@CompiledQuery
def _open_numbers(*kind: Any, user_id: UUID, statuses: list[int]) -> QuerySet[Ticket, Any]:
    user = User.of_kind(*kind, pk=user_id)
    tickets = policies.listed_tickets(user).order_by().filter(IS_OPEN)
    found = [*_views_of(user).values(), *(Q(status=key) for key in statuses)]
    numbers = {f"number_{n}": Count("pk", filter=each) for n, each in enumerate(found)}
    return tickets.values(of_all=Value(1)).annotate(**numbers).values_list(*numbers)


def _count_unread(user: User) -> int:
    """Return the number of tickets in the view "Unread", at most MAX_COUNT."""
    return len(_unread.rows(*user.kind, user_id=user.pk, unread_from=user.unread_from))


@CompiledQuery
def _unread(*kind: Any, user_id: UUID, unread_from: datetime) -> QuerySet[Ticket, tuple[int]]:
    user = User.of_kind(*kind, pk=user_id)
    user.unread_from = unread_from
    tickets = policies.listed_tickets(user).filter(may_be_unread(user))
    return with_unread(tickets, user).filter(is_unread=True).order_by().values_list("pk")[:MAX_COUNT]


def count_filters(user: User, filters: dict[str, TicketFilter]) -> dict[str, int]:
    """Return the number of tickets that each filter finds, up to MAX_COUNT, by its key; of a search none.

    Open tickets are counted for all filters in one query, others for each up to MAX_COUNT.
    """
    filters = {key: each for key, each in filters.items() if not each.words}
    of_open = {key: each for key, each in filters.items() if _finds_open_only(each)}
    numbers = {key: count(matching(user, each)) for key, each in filters.items() if key not in of_open}
    if of_open:
        tickets = policies.listed_tickets(user).order_by().filter(IS_OPEN)
        conditions = [matches(each, user) for each in of_open.values()]
        found = {f"number_{n}": Count("pk", filter=each) for n, each in enumerate(conditions)}
        numbers |= dict(zip(of_open, tickets.aggregate(**found).values(), strict=True))
    return {key: min(number, MAX_COUNT) for key, number in numbers.items()}


def _finds_open_only(ticket_filter: TicketFilter) -> bool:
    is_open = not any(status.is_closed for status in ticket_filter.statuses)
    return is_open and {"active", "waiting", "snoozed"}.issuperset(ticket_filter.views)


def _views_of(user: User) -> dict[str, Q]:
    """Return the views of the user's list that show open tickets, and what they match of those."""
    if user.is_customer:
        return {"active": Q(), "waiting": waits_for_side_of(user)}
    views = {"active": Q(), "waiting": waits_for_side_of(user)}
    views |= {"mine": Q(assigned_to=user), "unassigned": Q(assigned_to=None)}
    return {name: found & is_awake(user) for name, found in views.items()} | {"snoozed": is_snoozed()}


def _count_by_office(user: User) -> dict[str, int]:
    """Return the number of open tickets of each of the user's offices."""
    offices = list(staffed_offices(user).values_list("pk", flat=True))
    found = Ticket.objects.filter(IS_OPEN & is_not_snoozed(), office__in=offices)
    numbers = dict(found.order_by().values_list("office").annotate(number=Count("pk")))
    return {f"office-{pk}": numbers.get(pk, 0) for pk in offices}
