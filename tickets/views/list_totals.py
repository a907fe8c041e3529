"""How many tickets a list has, and which of them a page shows; counts stop at MAX_COUNT."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from tickets import list_pages
from tickets.counts import count, count_filters
from tickets.list_pages import Page
from tickets.list_queries import MAX_COUNT, TicketFilter, matching
from tickets.views.list_views import SavedViews


@dataclass(frozen=True)
class Total:
    """The number of tickets; `key` is that of the live count, if a view beside the list has the same tickets."""

    number: int
    key: str = ""
    first: int = 0  # 0: too far from the beginning to count
    last: int = 0


def total_of(
    user: User, ticket_filter: TicketFilter, page: Page, views: Iterable[dict[str, Any]], saved: SavedViews
) -> Total | None:
    """Return the total of a list for staff. A search has its own: how many it found."""
    if user.is_customer or ticket_filter.words:
        return None
    is_whole = page.is_first and not page.older
    if (known := _known_number(ticket_filter, views, saved)) is not None:
        key, number = known
    else:
        key, number = "", len(page.rows) if is_whole else count_filters(user, {"": ticket_filter})[""]
    before = 0 if page.is_first else _number_before(user, ticket_filter, page)
    if is_whole or before == MAX_COUNT or not page.rows:
        return Total(number, key)
    return Total(max(number, before + len(page.rows)), key, before + 1, before + len(page.rows))


def _known_number(
    ticket_filter: TicketFilter, views: Iterable[dict[str, Any]], saved: SavedViews
) -> tuple[str, int] | None:
    """Return the count of the view that the list is, and its key."""
    if saved.current is not None and not saved.is_changed:
        return next(((f"view-{row['id']}", row["number"]) for row in saved.rows if row["is_here"]), None)
    here = [view for view in views if view["is_here"]]
    of_view = TicketFilter(
        ticket_filter.views, ticket_filter.statuses, assignees=ticket_filter.assignees, sort=ticket_filter.sort
    )
    return (here[0]["key"], here[0]["number"]) if len(here) == 1 and ticket_filter == of_view else None


def _number_before(user: User, ticket_filter: TicketFilter, page: Page) -> int:
    """Return how many tickets precede the page, at most MAX_COUNT."""
    if not page.rows:
        return MAX_COUNT
    backwards = list_pages.reverse(ticket_filter.sort)
    place = list_pages.place_of(page.rows[0], ticket_filter.sort)
    return count(matching(user, ticket_filter).filter(list_pages.following(backwards, place)))
