"""Finds tickets by words: subject, messages, reference and customer; a note only for staff of its ticket."""

import re
from functools import reduce
from operator import and_
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower, Upper

from accounts.models import User
from tickets import policies
from tickets.models import Ticket

MAX_LENGTH = 200
MAX_WORDS = 12
LIKENESS = "0.3"  # of two words, by the triples of letters that they share: "invioce" is as near to "invoice"
CONFIG = "simple"  # customers write in any language: words are taken as they stand

_OPERATORS = re.compile(r'["-]|\bor\b', re.IGNORECASE)
_REFERENCE = re.compile(r"#?([0-9A-Z]{3})[-\s]?([0-9A-Z]{4})")


def search(tickets: QuerySet[Ticket], text: str, *, user: User) -> QuerySet[Ticket]:
    """Return those of `tickets` in which `user` may read `text`; where none is, those with its parts or its like.

    PostgreSQL takes quotes, `or` and `-` as web searches do, and the last word as the beginning of one.
    """
    connection = connections[tickets.db]
    if connection.vendor != "postgresql":
        return tickets.filter(_by_reference(text) | _by_parts(text, user))
    exact = tickets.filter(_by_reference(text) | _by_full_text(text, user))
    if exact.exists():
        return exact
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.strict_word_similarity_threshold', %s, false)", [LIKENESS])
    return tickets.filter(_by_parts(text, user, or_like=True))


def _by_reference(text: str) -> Q:
    """Match a reference as people write it: in any case, with its dash or without."""
    match = _REFERENCE.fullmatch(text.strip().upper())
    return Q(reference="-".join(match.groups())) if match else Q(pk__in=[])


def _by_full_text(text: str, user: User) -> Q:
    """Match one text that says all of it; each kind of text is asked by itself, through an index of its own."""
    query = _query(text)
    tickets = Ticket.objects.alias(words=SearchVector("subject", "content", config=CONFIG)).filter(words=query)
    replies = [
        replies.alias(words=SearchVector("message", config=CONFIG)).filter(words=query).values("ticket")
        for replies in policies.searchable_replies(user)
    ]
    return _any_of(tickets.values("pk"), *replies, _of_people(_named(text.split(), user)))


def _query(text: str) -> SearchQuery:
    whole = SearchQuery(text, config=CONFIG, search_type="websearch")
    *others, last = text.split()
    if _OPERATORS.search(text) or not re.fullmatch(r"\w+", last):
        return whole
    beginning = SearchQuery(f"{last}:*", config=CONFIG, search_type="raw")
    return SearchQuery(" ".join(others), config=CONFIG, search_type="websearch") & beginning if others else beginning


def _by_parts(text: str, user: User, *, or_like: bool = False) -> Q:
    """Match every word somewhere, even inside of another one."""
    return reduce(and_, (_by_part(word, user, or_like=or_like) for word in text.split()))


def _by_part(word: str, user: User, *, or_like: bool = False) -> Q:
    """Match a word; `or_like` matches a subject or a name with a word that is written almost so, too."""
    fields = ("subject", "content", "reference")
    in_tickets = [Ticket.objects.filter(**{f"{field}__icontains": word}).values("pk") for field in fields]
    in_replies = [
        replies.filter(message__icontains=word).values("ticket") for replies in policies.searchable_replies(user)
    ]
    found = [*in_tickets, *in_replies, _of_people(_named([word], user))]
    return _any_of(*found, *(_like(word) if or_like else ()))


def _like(word: str) -> list[QuerySet[Ticket, Any]]:
    like = {"spelled__trigram_strict_word_similar": word.upper()}
    people = User.objects.alias(spelled=Upper("name")).filter(**like)
    return [Ticket.objects.alias(spelled=Upper("subject")).filter(**like).values("pk"), _of_people(people)]


def _named(words: list[str], user: User) -> QuerySet[User]:
    """Return the people with all of these words in the name; staff may know the address too."""
    names = reduce(and_, (Q(name__icontains=word) for word in words))
    if user.is_customer:
        return User.objects.filter(names)
    return User.objects.alias(address=Lower("email")).filter(names | Q(address=" ".join(words).lower()))


def _of_people(people: QuerySet[User]) -> QuerySet[Ticket, Any]:
    return Ticket.objects.filter(creator__in=people.values("pk")).values("pk")


def _any_of(*found: QuerySet[Any, Any]) -> Q:
    """Match what one of the queries found: as a union each of them uses its index, as alternatives none would."""
    first, *rest = (keys.order_by() for keys in found)
    return Q(pk__in=first.union(*rest))
