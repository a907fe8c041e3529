"""Which tickets are unread: queries that read one mark per ticket, in the query that lists them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, F, FilteredRelation, Q, QuerySet, When

from accounts.models import User
from realtime.utils.compiled_query import CompiledQuery
from tickets import policies
from tickets.models import Status, Ticket

MAX_UNREAD = 99  # a counter shows "99+"


def with_unread(tickets: QuerySet[Ticket], user: User) -> QuerySet[Any]:
    """Annotate tickets of `policies.listed_tickets` with `is_unread`: a message that `user` may read and has not."""
    if "is_unread" in tickets.query.annotations:
        return tickets
    marked = tickets.alias(mark=FilteredRelation("read_marks", condition=Q(read_marks__user=user.pk)))
    is_unread = Case(When(_is_unread(user), then=True), default=False, output_field=BooleanField())
    return marked.annotate(is_unread=is_unread)


def _is_unread(user: User) -> Q:
    """Match by the latest message of the user's audience; what they wrote themselves has moved their mark."""
    public = _is_newer("last_public_number", "last_public_message_at", user)
    if user.is_customer:
        return public
    staff = _is_newer("last_number", "last_message_at", user)
    return staff if user.is_admin else Q(is_staffed=True) & staff | Q(is_staffed=False) & public


def _is_newer(number: str, moment: str, user: User) -> Q:
    unmarked = Q(**{"mark__number": None, f"{moment}__gt": user.unread_from})
    return Q(**{f"{number}__gt": F("mark__number")}) | unmarked & ~Q(creator=user.pk, **{number: 0})


def unread_number(user: User) -> int:
    """Return how many unread tickets are the user's own, or open and theirs to answer, up to MAX_UNREAD + 1."""
    open_only = {} if user.is_customer else {"statuses": Status.keys(is_closed=False)}
    return len(_unread.rows(*user.kind, user_id=user.pk, unread_from=user.unread_from, **open_only))


@CompiledQuery
def _unread(
    *kind: Any, user_id: UUID, unread_from: datetime, statuses: Sequence[int] = ()
) -> QuerySet[Ticket, tuple[int]]:
    user = User.of_kind(*kind, pk=user_id)
    user.unread_from = unread_from
    own = {"creator": user} if user.is_customer else {"assigned_to": user, "status__in": statuses}
    tickets = with_unread(policies.listed_tickets(user).filter(**own), user).filter(is_unread=True)
    return tickets.order_by().values_list("pk")[: MAX_UNREAD + 1]
