"""The tickets in which a user may read what they search for."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connections
from django.db.models import BooleanField, Case, Q, QuerySet, TextField, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat

from accounts.models import User
from tickets import policies
from tickets.models import Reply, SearchText, Ticket
from tickets.search.terms import MIN_PART, Query, parse

# SQLite's indexes of public texts and of notes, in the order of `policies.searchable_texts`.
SQLITE_INDEXES = ("tickets_public_parts", "tickets_note_parts")
MAX_KEYS = 500  # tickets of a customer whose texts are read, instead of those of all tickets with a term
FREQUENT = 2_000  # public texts with a term that make it a frequent one


def search(
    tickets: QuerySet[Ticket], typed: str, *, user: User, within: QuerySet[Ticket] | None = None
) -> QuerySet[Ticket]:
    """Return the `tickets` in which `user` may read all terms, each in any text, annotated with `is_whole`.

    `is_whole`: whether each term occurs as whole words. `within`: look only in these, which are few.
    """
    if within is None and user.is_customer and (keys := _keys_of_customer(user)) is not None:
        within, tickets = Ticket.objects.filter(pk__in=keys), tickets.filter(pk__in=keys)
    query = parse(typed)
    if not query.terms:
        return tickets.annotate(is_whole=Value(False)).none()
    whole = [_containing([term.whole], user, within) for term in query.terms]
    is_whole = Case(When(_all(whole), then=True), default=False, output_field=BooleanField())
    found = tickets.filter(_all(_containing(term.parts, user, within) for term in query.terms))
    if query.excluded:
        found = found.exclude(_any(_containing(term.parts, user, within) for term in query.excluded))
    return found.annotate(is_whole=is_whole)


def _keys_of_customer(user: User) -> list[int] | None:
    """Return the keys of all tickets of a customer, which show a planner how few they are; None if many."""
    keys = list(policies.visible_tickets(user).order_by().values_list("pk", flat=True)[: MAX_KEYS + 1])
    return keys if len(keys) <= MAX_KEYS else None


def is_frequent(typed: str) -> bool:
    """Return whether each term occurs as whole words in more than FREQUENT public texts of the site."""
    terms = parse(typed).terms
    texts = SearchText.objects.filter(is_internal=False).order_by()
    return bool(terms) and all(
        _with_part(texts, SQLITE_INDEXES[0], [term.whole])[FREQUENT : FREQUENT + 1].exists() for term in terms
    )


def search_replies(replies: QuerySet[Reply], typed: str, *, user: User) -> QuerySet[Reply]:
    """Return the `replies` that `user` may read and that contain all terms."""
    query = parse(typed)
    if not query.terms:
        return replies.none()
    return replies.filter(_all(_in_text(term.parts, user) for term in query.terms)).exclude(
        _any([Q(pk__in=[]), *(_in_text(term.parts, user) for term in query.excluded)])
    )


def _in_text(parts: list[str], user: User) -> Q:
    first, *rest = (texts.values("pk").order_by() for texts in _texts(parts, user))
    return Q(search_text__in=first.union(*rest))


def texts_of(query: Query, *, user: User) -> list[QuerySet[SearchText]]:
    """Return the public texts and, separately, the notes that `user` may read and that contain any term."""
    parts = [part for term in query.terms for part in term.parts]
    return _texts(parts, user)


def _containing(parts: list[str], user: User, within: QuerySet[Ticket] | None = None) -> Q:
    """Match tickets with one of `parts` in a text, or in the name or address of their customer.

    In a union each query uses its index; with OR none would.
    """
    found: list[QuerySet[Any, Any]] = [texts.values("ticket").order_by() for texts in _texts(parts, user, within)]
    tickets = Ticket.objects.all() if within is None else within
    for users in _users(parts, user):
        found.append(tickets.filter(creator__in=users.values("pk")).values("pk").order_by())
    first, *rest = found
    return Q(pk__in=first.union(*rest))


def _texts(parts: list[str], user: User, within: QuerySet[Ticket] | None = None) -> list[QuerySet[SearchText]]:
    readable = policies.searchable_texts(user)
    if within is not None:  # few tickets: their texts are read, and no index of all texts is asked
        few = within.values("pk").order_by()
        read = (texts.alias(read=Concat("text", Value(""), output_field=TextField())) for texts in readable)
        return [texts.filter(_contains("read", parts), ticket__in=few) for texts in read]
    return [_with_part(texts, index, parts) for texts, index in zip(readable, SQLITE_INDEXES, strict=True)]


def _with_part(texts: QuerySet[SearchText], index: str, parts: list[str]) -> QuerySet[SearchText]:
    # FTS5 finds no fewer than three characters; one letter is in most texts anyway.
    is_indexed = connections[SearchText.objects.db].vendor == "sqlite" and min(map(len, parts)) >= MIN_PART
    if not is_indexed:
        return texts.filter(_contains("text", parts))
    match = " OR ".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in parts)
    return texts.filter(pk__in=RawSQL(f"SELECT rowid FROM {index} WHERE {index} MATCH %s", [match]))  # noqa: S608, S611


def _users(parts: list[str], user: User) -> list[QuerySet[User, Any]]:
    """Return the users with a part in the name; for staff also those with it in an email address."""
    named = User.objects.filter(_contains("folded_name", parts))
    if user.is_customer:
        return [named]
    has_part = _any(_address_contains(part) for part in parts)
    confirmed = EmailAddress.objects.filter(has_part, verified=True).values("user")
    return [named, User.objects.filter(has_part), User.objects.filter(pk__in=confirmed)]


def _contains(field: str, parts: list[str]) -> Q:
    return _any(Q(**{f"{field}__contains": part}) for part in parts)


def _address_contains(part: str) -> Q:
    """Match a part of an address, before and after which no spaces are stored."""
    lookups = {
        (False, False): "contains",
        (True, False): "startswith",
        (False, True): "endswith",
        (True, True): "exact",
    }
    lookup = lookups[part.startswith(" "), part.endswith(" ")]
    return Q(**{f"email__{lookup}": part.strip()})


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _all(conditions: Iterable[Q]) -> Q:
    return Q(*conditions)
