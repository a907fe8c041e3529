"""Queries of the ticket list: its filters, and what a search finds."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Literal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Greatest, Now

from accounts.customers import people_named
from accounts.models import DeskSettings, Office, User
from tickets import policies
from tickets.list_pages import DEFAULT_SORT, following, in_order, place_of, reverse
from tickets.models import Priority, Status, Tag, Ticket, WaitingFor
from tickets.reading.queries import with_unread
from tickets.search import search
from tickets.search.pages import Found
from tickets.search.pages import find_page as search_page

IS_OPEN = Q(closed_at=None)
MAX_COUNT = 1000  # a page shows "999+" for this number

View = Literal["active", "closed", "all", "waiting", "unread", "snoozed"]
Assignee = User | Literal["me", "none"]


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


def filter_tickets(
    user: User, ticket_filter: TicketFilter, *, uuids: Collection[UUID] | None = None
) -> QuerySet[Ticket]:
    """Return the tickets of `user` that match, or of them these few. No condition reveals what they may not see."""
    tickets = matching(user, ticket_filter)
    if uuids is not None:
        tickets = tickets.filter(uuid__in=uuids)
    if not ticket_filter.words:
        return tickets
    keys = None if uuids is None else list(tickets.order_by().values_list("pk", flat=True))
    return search(tickets, ticket_filter.words, user=user, keys=keys)


def find_page(user: User, ticket_filter: TicketFilter, **page: Any) -> Found:
    """Return the tickets of `user` that match; of a search at least those of the page, `paginate`'s arguments."""
    tickets = matching(user, ticket_filter)
    if not ticket_filter.words:
        return Found(tickets)
    return search_page(tickets, ticket_filter.words, user=user, sort=ticket_filter.sort, **page)


def matching(user: User, ticket_filter: TicketFilter) -> QuerySet[Ticket]:
    """Return the tickets that match all but the words."""
    tickets = policies.listed_tickets(user)
    if "unread" in ticket_filter.views:
        # The same times, but without an index: in its order, PostgreSQL reads all tickets to find the few unread.
        tickets = with_unread(tickets.annotate(changed=Greatest("changed", "created_at")), user)
    return tickets.filter(matches(ticket_filter, user))


def matches(ticket_filter: TicketFilter, user: User) -> Q:
    """Match all but the words, in the query of `policies.listed_tickets`; "unread" needs its annotation."""
    found = _matches_views(ticket_filter, user)
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


def _matches_views(ticket_filter: TicketFilter, user: User) -> Q:
    if "all" in ticket_filter.views:
        return Q()
    chosen = [Q(status__in=[status.pk for status in ticket_filter.statuses])] if ticket_filter.statuses else []
    return _any([*chosen, *(_matches_view(view, user) for view in ticket_filter.views)])


def _matches_view(view: View, user: User) -> Q:
    if view == "closed":
        return ~IS_OPEN
    if view == "unread":
        return Q(is_unread=True) & may_be_unread(user)
    if view == "snoozed":
        return IS_OPEN & is_snoozed()
    found = IS_OPEN & is_awake(user)
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


def may_be_unread(user: User) -> Q:
    """Match what "Unread" looks at: open tickets, and a customer's own, which the last reply may have closed."""
    return IS_OPEN | Q(creator=user) if user.is_customer else IS_OPEN


def neighbours(user: User, ticket_filter: TicketFilter, ticket: Ticket) -> tuple[UUID | None, UUID | None]:
    """Return the UUIDs of the tickets before and after `ticket`, which may not match the filter itself."""
    sort = ticket_filter.sort
    row = in_order(policies.listed_tickets(user).filter(pk=ticket.pk), sort).first()
    if row is None:
        return None, None
    place = place_of(row, sort)
    if None in place:  # no longer snoozed
        return None, None
    tickets = filter_tickets(user, ticket_filter)
    before, after = (
        in_order(tickets.filter(following(order, place)), order).values_list("uuid", flat=True).first()
        for order in (reverse(sort), sort)
    )
    return before, after
