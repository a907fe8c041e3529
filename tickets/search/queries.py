"""The tickets in which a user may read what they search for."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connections
from django.db.models import BooleanField, Case, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from accounts.models import User
from tickets import policies
from tickets.models import Reply, SearchText, Ticket
from tickets.search.matches import address_contains, contains, matches
from tickets.search.terms import MIN_PART, Query, Term, parse

# SQLite's indexes of public texts and of notes, in the order of `policies.searchable_texts`.
SQLITE_INDEXES = ("tickets_public_parts", "tickets_note_parts")
FEW = 2_000  # texts with a term: with no more, the tickets that may match are read one by one


def search(tickets: QuerySet[Ticket], typed: str, *, user: User, keys: list[int] | None = None) -> QuerySet[Ticket]:
    """Return the `tickets` in which `user` may read all terms, each in any text, annotated with `is_whole`.

    `is_whole`: whether each term occurs as whole words. `keys`: those of the tickets, if they are few.
    """
    query = parse(typed)
    if not query.terms:
        return tickets.annotate(is_whole=Value(False)).none()
    keys = few_keys(query, user) if keys is None else keys
    return search_index(tickets, query, user) if keys is None else only(tickets, matches(keys, query, user=user))


def only(tickets: QuerySet[Ticket], found: dict[int, bool]) -> QuerySet[Ticket]:
    """Return the `tickets` that `matches` has found, annotated with `is_whole`."""
    whole = When(pk__in=[key for key, is_whole in found.items() if is_whole], then=True)
    is_whole = Case(whole, default=False, output_field=BooleanField())
    return tickets.filter(pk__in=list(found)).annotate(is_whole=is_whole)


def search_index(tickets: QuerySet[Ticket], query: Query, user: User) -> QuerySet[Ticket]:
    """Return what `search` does, however many texts contain each term."""
    is_whole = Case(
        When(_all(_containing([term.whole], user) for term in query.terms), then=True),
        default=False,
        output_field=BooleanField(),
    )
    found = tickets.filter(_all(_containing(term.parts, user) for term in query.terms))
    if query.excluded:
        found = found.exclude(_any(_containing(term.parts, user) for term in query.excluded))
    return found.annotate(is_whole=is_whole)


def few_keys(query: Query, user: User) -> list[int] | None:
    """Return the keys of the tickets that may match, and of others; None if they are many.

    A customer's are all of their tickets: how often a term occurs elsewhere must not show in the time of a search.
    Others' are those with the first term that occurs in few texts. A planner knows that number from the keys only.
    """
    if user.is_customer:
        return _at_most(policies.visible_tickets(user).order_by().values_list("pk", flat=True))
    terms = sorted(query.terms, key=lambda term: -len(term.text))
    return next((keys for term in terms if (keys := _keys_with(term.parts, user)) is not None), None)


def are_frequent(terms: Iterable[Term], user: User) -> bool | None:
    """Return whether many texts contain each of the terms as whole words; None if none contains one of them."""
    keys = [_keys_with([term.whole], user) for term in terms]
    return None if [] in keys else not any(keys)


def _keys_with(parts: list[str], user: User) -> list[int] | None:
    """Return the keys of all tickets with a part in a text, or in the name or address of their customer."""
    texts = (SearchText.objects.filter(is_internal=is_internal) for is_internal in (False, True))
    found: list[QuerySet[Any, Any]] = [
        _with_part(rows, index, parts).order_by().values_list("ticket", flat=True)
        for rows, index in zip(texts, SQLITE_INDEXES, strict=True)
    ]
    for users in _users(parts, user):
        found.append(Ticket.objects.filter(creator__in=users.values("pk")).order_by().values_list("pk", flat=True))
    first, *rest = found
    return _at_most(first.union(*rest, all=True))


def _at_most(keys: QuerySet[Any, int]) -> list[int] | None:
    found = list(keys[: FEW + 1])
    return list(set(found)) if len(found) <= FEW else None


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


def _containing(parts: list[str], user: User) -> Q:
    """Match tickets with one of `parts` in a text, or in the name or address of their customer.

    In a union each query uses its index; with OR none would.
    """
    found: list[QuerySet[Any, Any]] = [texts.values("ticket").order_by() for texts in _texts(parts, user)]
    for users in _users(parts, user):
        found.append(Ticket.objects.filter(creator__in=users.values("pk")).values("pk").order_by())
    first, *rest = found
    return Q(pk__in=first.union(*rest))


def _texts(parts: list[str], user: User) -> list[QuerySet[SearchText]]:
    readable = policies.searchable_texts(user)
    return [_with_part(texts, index, parts) for texts, index in zip(readable, SQLITE_INDEXES, strict=True)]


def _with_part(texts: QuerySet[SearchText], index: str, parts: list[str]) -> QuerySet[SearchText]:
    # FTS5 finds no fewer than three characters; one letter is in most texts anyway.
    is_indexed = connections[SearchText.objects.db].vendor == "sqlite" and min(map(len, parts)) >= MIN_PART
    if not is_indexed:
        return texts.filter(contains("text", parts))
    match = " OR ".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in parts)
    return texts.filter(pk__in=RawSQL(f"SELECT rowid FROM {index} WHERE {index} MATCH %s", [match]))  # noqa: S608, S611


def _users(parts: list[str], user: User) -> list[QuerySet[User, Any]]:
    """Return the users with a part in the name; for staff also those with it in an email address."""
    named = User.objects.filter(contains("folded_name", parts))
    if user.is_customer:
        return [named]
    confirmed = EmailAddress.objects.filter(address_contains("email", parts), verified=True).values("user")
    return [named, User.objects.filter(address_contains("email", parts)), User.objects.filter(pk__in=confirmed)]


def _any(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions)


def _all(conditions: Iterable[Q]) -> Q:
    return Q(*conditions)
