"""Which of given tickets match a search: their texts are read, however many others contain its terms."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Case, Exists, Max, OuterRef, Q, Value, When

from accounts.models import User
from tickets import policies
from tickets.models import Ticket
from tickets.search.terms import Query


def matches(keys: Sequence[int], query: Query, *, user: User) -> dict[int, bool]:
    """Return the tickets of `keys` that match, each with whether all terms occur in it as whole words."""
    wanted = [term.parts for term in query.terms]
    whole = [[term.whole] for term in query.terms]
    unwanted = [term.parts for term in query.excluded]
    found: dict[int, set[int]] = defaultdict(set)
    for key, flags in _rows(keys, [*wanted, *whole, *unwanted], user):
        found[key].update(number for number, flag in enumerate(flags) if flag)
    needed, most = set(range(len(wanted))), len(wanted) + len(whole)
    return {key: most <= len(numbers) for key, numbers in found.items() if needed <= numbers and max(numbers) < most}


def _rows(keys: Sequence[int], choices: list[list[str]], user: User) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield a ticket and, for each list of parts, whether one of them is in its texts or belongs to its customer."""
    in_text = {f"has_{number}": Max(_flag(contains("text", parts))) for number, parts in enumerate(choices)}
    public, notes = (
        texts.order_by().values("ticket").annotate(**in_text).values_list("ticket", *in_text)
        for texts in policies.searchable_texts(user, keys)
    )
    is_called = {f"has_{number}": _flag(_is_called(parts, user)) for number, parts in enumerate(choices)}
    tickets = Ticket.objects.filter(pk__in=keys).annotate(**is_called).order_by().values_list("pk", *is_called)
    for key, *flags in chain(public.union(notes, all=True), tickets):
        yield key, flags


def _flag(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0))


def _is_called(parts: list[str], user: User) -> Q:
    """Match tickets of a customer with a part in the name; for staff also those with it in an email address."""
    named = contains("creator__folded_name", parts)
    if user.is_customer:
        return named
    addresses = EmailAddress.objects.filter(address_contains("email", parts), verified=True)
    return named | address_contains("creator__email", parts) | Q(Exists(addresses.filter(user=OuterRef("creator"))))


def contains(field: str, parts: Iterable[str]) -> Q:
    """Match what has one of the parts in a field."""
    return reduce(or_, (Q(**{f"{field}__contains": part}) for part in parts))


def address_contains(field: str, parts: Iterable[str]) -> Q:
    """Match email addresses with one of the parts; no spaces are stored before and after them."""
    return reduce(or_, (_address_contains(field, part) for part in parts))


def _address_contains(field: str, part: str) -> Q:
    lookups = {
        (False, False): "contains",
        (True, False): "startswith",
        (False, True): "endswith",
        (True, True): "exact",
    }
    lookup = lookups[part.startswith(" "), part.endswith(" ")]
    return Q(**{f"{field}__{lookup}": part.strip()})
