"""The passage of a message in which a search found something, with the hits marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from unicodedata import combining

from django.db.models import Max

from accounts.models import User
from accounts.text.folding import fold
from tickets.models import Reply, SearchText, Ticket
from tickets.search.queries import texts_of
from tickets.search.terms import Query, parse

BEFORE, AFTER = 50, 130  # characters shown before the first hit, and from it on
WINDOW, STEP = 600, 300  # a message is searched in overlapping windows of this size


@dataclass(frozen=True)
class Snippet:
    """A passage as (text, is_hit) parts; `is_internal` if it is of a note."""

    parts: list[tuple[str, bool]]
    is_internal: bool


def snippets(tickets: list[Any], typed: str, *, user: User) -> dict[int, Snippet]:
    """Return by primary key a passage of the latest message with a hit that `user` may read.

    Tickets found by their subject, reference or customer only have none.
    """
    query = parse(typed)
    if not query.terms or not tickets:
        return {}
    pattern = _pattern(query)
    found = {}
    for ticket, message, is_internal in _messages(tickets, query, user):
        if parts := _passage(" ".join(message.split()), pattern):
            found[ticket] = Snippet(parts, is_internal)
    return found


def _messages(tickets: list[Any], query: Query, user: User) -> Iterator[tuple[int, str, bool]]:
    """Yield ticket, message and whether it is a note, of the latest text of each ticket with a hit."""
    of_page = [ticket.pk for ticket in tickets]
    public, notes = (
        texts.filter(ticket__in=of_page).order_by().values("ticket").annotate(last=Max("pk")).values("ticket", "last")
        for texts in texts_of(query, user=user)
    )
    latest: dict[int, int] = {}
    for row in public.union(notes, all=True):
        latest[row["ticket"]] = max(row["last"], latest.get(row["ticket"], 0))
    texts = SearchText.objects.filter(pk__in=latest.values())
    openings, replies = [], []
    for ticket, reply in texts.values_list("ticket", "reply"):
        (openings.append(ticket) if reply is None else replies.append(reply))
    for pk, content in Ticket.objects.filter(pk__in=openings).values_list("pk", "content"):
        yield pk, content, False
    yield from Reply.objects.filter(pk__in=replies).order_by().values_list("ticket", "message", "is_internal")


def _pattern(query: Query) -> re.Pattern[str]:
    """Return what matches the terms in folded text; characters that stand alone have no spaces between them there."""
    terms = sorted(query.terms, key=lambda term: -len(term.text))
    return re.compile("|".join(_term_pattern(term.text, is_start=term.needs_start) for term in terms))


def _term_pattern(text: str, *, is_start: bool) -> str:
    return (r"(?<!\w)" if is_start else "") + r"\s*".join(map(re.escape, text.split()))


def _passage(text: str, pattern: re.Pattern[str]) -> list[tuple[str, bool]]:
    for start in range(0, max(len(text), 1), STEP):
        window = text[start : start + WINDOW]
        if pattern.search(fold(window)) and (hits := _hits(window, pattern)):
            is_cut = (start > 0, start + WINDOW < len(text))
            return _around(window, hits, is_cut)
    return []


def _hits(text: str, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """Return where `pattern` matches, as positions in the text that is not folded."""
    folded, places = [], []
    for start, character in _characters(text):
        piece = fold(character)
        folded.append(piece)
        places += [(start, start + len(character))] * len(piece)
    return [
        (places[match.start()][0], places[match.end() - 1][1])
        for match in pattern.finditer("".join(folded))
        if match.end() > match.start()
    ]


def _characters(text: str) -> Iterator[tuple[int, str]]:
    """Yield position and text of each character with the marks that follow it."""
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or not combining(text[position]):
            yield start, text[start:position]
            start = position


def _around(text: str, hits: list[tuple[int, int]], is_cut: tuple[bool, bool]) -> list[tuple[str, bool]]:
    """Return the text around the first hit, cut between words, with "…" where something is left out."""
    first = hits[0][0]
    start, end = max(0, first - BEFORE), min(len(text), max(first + AFTER, hits[0][1]))
    if start > 0:
        start = max(start, text.rfind(" ", 0, start + BEFORE // 2) + 1) if " " in text[start:first] else start
    if end < len(text) and (space := text.rfind(" ", hits[0][1], end)) > 0:
        end = space
    parts, at = [("… ", False)] if start > 0 or is_cut[0] else [], start
    for begin, finish in hits:
        if finish > end:
            break
        parts += [(text[at:begin], False), (text[begin:finish], True)]
        at = finish
    parts.append((text[at:end], False))
    parts += [(" …", False)] if end < len(text) or is_cut[1] else []
    return [part for part in parts if part[0]]
