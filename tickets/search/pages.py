"""Pages of a search. For frequent words only as much of the list is read, in its order, as a page needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from tickets.list_pages import (
    BEST_MATCH,
    DEFAULT_SORT,
    PAGE_SIZE,
    following,
    in_order,
    place_of,
    place_of_cursor,
    reverse,
)
from tickets.models import Ticket
from tickets.search.matches import matches
from tickets.search.queries import are_frequent, few_keys, only, search_index
from tickets.search.terms import Query, parse

STEP, MAX_STEPS = 1_000, 10  # tickets that are read at once, and how often
ENOUGH = 201  # matches among the latest tickets: frequent enough to be found in them, and not counted further


@dataclass(frozen=True)
class Found:
    """The tickets that hold a page of a search: all that match, or some of `at_least` so many."""

    tickets: QuerySet[Ticket]
    at_least: int | None = None


def find_page(  # noqa: PLR0913
    tickets: QuerySet[Ticket],
    typed: str,
    *,
    user: User,
    sort: str = BEST_MATCH,
    after: str = "",
    before: str = "",
    size: int = PAGE_SIZE,
) -> Found:
    """Search a list; of what is found `paginate` makes the page with these arguments."""
    query = parse(typed)
    if not query.terms:
        return Found(only(tickets, {}))
    keys = few_keys(query, user)
    if keys is not None:
        return Found(only(tickets, matches(keys, query, user=user)))
    found, has_whole = None, are_frequent(query.terms, user) if sort == BEST_MATCH else None
    if not user.is_customer and has_whole is not False:
        found = _Walk(tickets, query, user, bool(has_whole)).find(sort, after, before, size)
    return found or Found(search_index(tickets, query, user))


@dataclass(frozen=True)
class _Walk:
    """Reads a list in the order of its pages."""

    tickets: QuerySet[Ticket]
    query: Query
    user: User
    has_whole: bool  # whether the best matches, those of whole words, come first

    def find(self, sort: str, after: str, before: str, size: int) -> Found | None:
        """Return the tickets that hold a page; None if too many would have to be read."""
        latest, is_all = self._read(DEFAULT_SORT, None, ENOUGH, None)
        if is_all:
            return Found(only(self.tickets, latest))
        if len(latest) < ENOUGH:
            return None
        page = self._page(sort, after, before, size, latest)
        return None if page is None else Found(only(self.tickets, page), at_least=len(latest))

    def _page(self, sort: str, after: str, before: str, size: int, latest: dict[int, bool]) -> dict[int, bool] | None:
        """Return the matches from the cursor on. The best ones are the latest whole words, then the latest others."""
        place, order, is_whole = place_of_cursor(after or before, sort), sort, None
        if sort == BEST_MATCH:
            order, is_of_best = DEFAULT_SORT, True if place is None else place.pop(0)
            is_whole = is_of_best if self.has_whole else None
        if place is None and order == DEFAULT_SORT and _number(latest.values(), is_whole) > size:
            return latest
        is_backwards = bool(before and place)
        found, is_end = self._read(reverse(order) if is_backwards else order, place, size + 1, is_whole)
        if _number(found.values(), is_whole) > size:
            return found
        if not is_end or (is_whole is not None and is_whole is not is_backwards):
            return None  # the page goes on with others, far from here
        return self._page(sort, "", "", size, latest) if is_backwards else found

    def _read(
        self, order: str, place: list[Any] | None, enough: int, is_whole: bool | None
    ) -> tuple[dict[int, bool], bool]:
        """Return matches after `place`, until they are enough, and whether the list ends there."""
        found: dict[int, bool] = {}
        for _ in range(MAX_STEPS):
            rest = self.tickets if place is None else self.tickets.filter(following(order, place))
            rows = list(in_order(rest, order).only("pk")[:STEP])
            found |= matches([row.pk for row in rows], self.query, user=self.user)
            if len(rows) < STEP:
                return found, True
            if _number(found.values(), is_whole) >= enough:
                break
            place = place_of(rows[-1], order)
        return found, False


def _number(found: Iterable[bool], is_whole: bool | None) -> int:
    return sum(is_whole in (None, each) for each in found)
