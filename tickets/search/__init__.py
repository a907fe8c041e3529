"""Search tickets by subject, messages, reference and customer; internal notes for staff of the ticket only."""

import re
from contextlib import suppress
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Upper

from accounts.models import User
from tickets import policies
from tickets.models import Ticket

MAX_LENGTH = 200
MAX_WORDS = 12
MIN_SIMILARITY = "0.3"  # trigram similarity of two words: "invioce" is as near to "invoice"
CONFIG = "simple"  # no stemming: customers write in any language

_OPERATORS = re.compile(r'["-]|\bor\b', re.IGNORECASE)
_REFERENCE = re.compile(r"([0-9A-Z]{3})[-\s]?([0-9A-Z]{4})")
_AROUND = " #[](){}<>\"'.,:;"  # around a pasted reference
_PAGE = re.compile(r"/tickets/([0-9a-f-]{36})/?(?:[?#]\S*)?$", re.IGNORECASE)


def search(tickets: QuerySet[Ticket], text: str, *, user: User) -> QuerySet[Ticket]:
    """Return the `tickets` in which `user` may read `text`; without a match, those with parts of it or similar words.

    On PostgreSQL quotes, `or` and `-` work as in web searches, and the last word matches as a prefix.
    """
    connection = connections[tickets.db]
    if connection.vendor != "postgresql":
        return tickets.filter(_by_reference(text) | _by_parts(text, user))
    exact = tickets.filter(_by_reference(text) | _by_full_text(text, user))
    if exact.exists():
        return exact
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.strict_word_similarity_threshold', %s, false)", [MIN_SIMILARITY])
    return tickets.filter(_by_parts(text, user, or_similar=True))


def named_ticket(text: str, *, user: User) -> Ticket | None:
    """Return the ticket whose reference or page address `text` is, if `user` may open it."""
    page = _PAGE.search(text.strip())
    with suppress(ValueError):
        condition = Q(uuid=UUID(page[1])) if page else _by_reference(text)
        return policies.visible_tickets(user).filter(condition).only("uuid").first() if condition else None
    return None


def _by_reference(text: str) -> Q:
    """Match a reference in any case, with or without the dash."""
    match = _REFERENCE.fullmatch(text.strip(_AROUND).upper())
    return Q(reference="-".join(match.groups())) if match else Q(pk__in=[])


def _by_full_text(text: str, user: User) -> Q:
    """Match a text that contains all words. Each kind of text has its own query, which uses its own index."""
    query = _query(text)
    tickets = Ticket.objects.alias(words=SearchVector("subject", "content", config=CONFIG)).filter(words=query)
    replies = [
        replies.alias(words=SearchVector("message", config=CONFIG)).filter(words=query).values("ticket")
        for replies in policies.searchable_replies(user)
    ]
    return _any_of(tickets.values("pk"), *replies, _of_customers(_users_named(text.split(), user)))


def _query(text: str) -> SearchQuery:
    whole = SearchQuery(text, config=CONFIG, search_type="websearch")
    *others, last = text.split()
    if _OPERATORS.search(text) or not re.fullmatch(r"\w+", last):
        return whole
    beginning = SearchQuery(f"{last}:*", config=CONFIG, search_type="raw")
    return SearchQuery(" ".join(others), config=CONFIG, search_type="websearch") & beginning if others else beginning


def _by_parts(text: str, user: User, *, or_similar: bool = False) -> Q:
    """Match every word anywhere, also within other words."""
    return reduce(and_, (_by_part(word, user, or_similar=or_similar) for word in text.split()))


def _by_part(word: str, user: User, *, or_similar: bool = False) -> Q:
    """Match a word; with `or_similar` also subjects and names with a similar word."""
    fields = ("subject", "content", "reference")
    in_tickets = [Ticket.objects.filter(**{f"{field}__icontains": word}).values("pk") for field in fields]
    in_replies = [
        replies.filter(message__icontains=word).values("ticket") for replies in policies.searchable_replies(user)
    ]
    found = [*in_tickets, *in_replies, _of_customers(_users_named([word], user))]
    return _any_of(*found, *(_similar(word) if or_similar else ()))


def _similar(word: str) -> list[QuerySet[Ticket, Any]]:
    like = {"spelled__trigram_strict_word_similar": word.upper()}
    users = User.objects.alias(spelled=Upper("name")).filter(**like)
    return [Ticket.objects.alias(spelled=Upper("subject")).filter(**like).values("pk"), _of_customers(users)]


def _users_named(words: list[str], user: User) -> QuerySet[User]:
    """Return the users with all of these words in the name; staff may also search by email address."""
    names = reduce(and_, (Q(name__icontains=word) for word in words))
    if user.is_customer:
        return User.objects.filter(names)
    return User.objects.alias(address=Lower("email")).filter(names | Q(address=" ".join(words).lower()))


def _of_customers(users: QuerySet[User]) -> QuerySet[Ticket, Any]:
    return Ticket.objects.filter(creator__in=users.values("pk")).values("pk")


def _any_of(*found: QuerySet[Any, Any]) -> Q:
    """Match the results of any query. In a union each query uses its index; with OR none would."""
    first, *rest = (keys.order_by() for keys in found)
    return Q(pk__in=first.union(*rest))
