"""Pages of a list of tickets by cursor: by the sort value, then by the primary key."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from realtime.utils import encryption
from tickets.models import Ticket

PAGE_SIZE = 50
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
class Page:
    """The rows of a page, and the cursors of the newer and the older page."""

    rows: list[Any]
    newer: str = ""
    older: str = ""
    is_first: bool = True
    is_cursor_invalid: bool = False


def paginate(
    tickets: QuerySet[Ticket], sort: str, *, after: str = "", before: str = "", size: int = PAGE_SIZE
) -> Page:
    """Return the page after or before a cursor; the first page without one, or if it belongs to another order."""
    place = place_of_cursor(after or before, sort)
    is_cursor_invalid = bool(after or before) and place is None
    if place is None:
        return _page(tickets, sort, size, is_cursor_invalid=is_cursor_invalid)
    if after:
        return _page(tickets.filter(following(sort, place)), sort, size, is_first=False)
    rows = list(in_order(tickets.filter(following(reverse(sort), place)), reverse(sort))[: size + 1])
    if len(rows) <= size:
        return _page(tickets, sort, size)
    rows = rows[:size][::-1]
    return Page(rows, newer=_encode_cursor(rows[0], sort), older=_encode_cursor(rows[-1], sort), is_first=False)


def _page(
    tickets: QuerySet[Ticket], sort: str, size: int, *, is_first: bool = True, is_cursor_invalid: bool = False
) -> Page:
    rows = list(in_order(tickets, sort)[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    return Page(
        rows,
        newer="" if is_first or not rows else _encode_cursor(rows[0], sort),
        older=_encode_cursor(rows[-1], sort) if has_more else "",
        is_first=is_first,
        is_cursor_invalid=is_cursor_invalid,
    )


def in_order(tickets: QuerySet[Ticket], sort: str) -> QuerySet[Ticket]:
    """Return the tickets in this order, annotated with their place in it."""
    sign = "-" if sort.startswith("-") else ""
    places = {f"place_{number}": F(key) for number, key in enumerate(_sort_keys(sort))}
    return tickets.annotate(**places).order_by(*(f"{sign}{name}" for name in (*places, "pk")))


def following(sort: str, place: list[Any]) -> Q:
    """Match what follows the values of the sort keys and the primary key: the first that differs decides.

    The first condition repeats what the others imply, for an index of the first key: one does not serve alternatives.
    """
    then = "lt" if sort.startswith("-") else "gt"
    keys = [*_sort_keys(sort), "pk"]
    condition = Q(**{f"{keys[-1]}__{then}": place[-1]})
    for key, value in zip(keys[-2::-1], place[-2::-1], strict=True):
        condition = Q(**{f"{key}__{then}": value}) | Q(**{key: value}) & condition
    return Q(**{f"{keys[0]}__{then}e": place[0]}) & condition


def _sort_keys(sort: str) -> list[str]:
    return SORT_KEYS[sort.removeprefix("-")]


def place_of(ticket: Any, sort: str) -> list[Any]:
    """Return the sort values and the primary key of a row of `in_order`."""
    return [*(getattr(ticket, f"place_{number}") for number in range(len(_sort_keys(sort)))), ticket.pk]


def reverse(sort: str) -> str:
    """Return the opposite order."""
    return sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"


def _encode_cursor(ticket: Any, sort: str) -> str:
    """Return an encrypted cursor: the primary key would reveal the number of tickets to customers."""
    place = [value.isoformat() if isinstance(value, datetime) else value for value in place_of(ticket, sort)]
    return encryption.encrypt(json.dumps([sort, *place]), purpose="tickets.page")


def place_of_cursor(cursor: str, sort: str) -> list[Any] | None:
    """Return the sort values and the primary key of a cursor's row; None if it is invalid or of another order."""
    text = encryption.decrypt(cursor, purpose="tickets.page") if cursor else None
    if text is None:
        return None
    of_sort, *place = json.loads(text)
    if of_sort != sort:
        return None
    return [datetime.fromisoformat(value) if isinstance(value, str) else value for value in place]
