"""Which tickets are unread: queries that read one mark per ticket, in the query that lists them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Case, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from accounts.models import User
from realtime.utils.compiled_query import CompiledQuery
from tickets import policies
from tickets.models import ReadMark, Ticket
from tickets.reading.marks import NOTHING
from tickets.reading.messages import NEVER

MAX_UNREAD = 99  # a counter shows "99+"


def with_unread(tickets: QuerySet[Ticket], user: User) -> QuerySet[Any]:
    """Annotate tickets of `policies.listed_tickets` with `is_unread`: a message that `user` may read and has not."""
    if "is_unread" in tickets.query.annotations:
        return tickets
    number, moment = _latest(user)
    is_new = Q(latest_at__gt=user.unread_from) & ~Q(creator=user.pk, latest=0)
    unmarked = Case(When(is_new, then=NOTHING), default=NEVER)
    # A join would read all marks of the user, which grow with what was ever closed, to find those of a few tickets.
    mark = ReadMark.objects.filter(user=user.pk, ticket=OuterRef("pk")).values("number")
    is_unread = Case(
        When(latest__gt=Coalesce(Subquery(mark), unmarked), then=True), default=False, output_field=BooleanField()
    )
    return tickets.alias(latest=number, latest_at=moment).annotate(is_unread=is_unread)


def _latest(user: User) -> tuple[F | Case, F | Case]:
    """Return number and time of the latest message that `user` may read; what they wrote has moved their mark."""
    if user.is_customer:
        return F("last_public_number"), F("last_public_message_at")
    if user.is_admin:
        return F("last_number"), F("last_message_at")
    number = Case(When(is_staffed=True, then=F("last_number")), default=F("last_public_number"))
    moment = Case(When(is_staffed=True, then=F("last_message_at")), default=F("last_public_message_at"))
    return number, moment


def unread_number(user: User) -> int:
    """Return how many unread tickets are the user's own, or open and theirs to answer, up to MAX_UNREAD + 1."""
    return len(_unread.rows(*user.kind, user_id=user.pk, unread_from=user.unread_from))


@CompiledQuery
def _unread(*kind: Any, user_id: UUID, unread_from: datetime) -> QuerySet[Ticket, tuple[int]]:
    user = User.of_kind(*kind, pk=user_id)
    user.unread_from = unread_from
    own = {"creator": user} if user.is_customer else {"assigned_to": user, "closed_at": None}
    tickets = with_unread(policies.listed_tickets(user).filter(**own), user).filter(is_unread=True)
    return tickets.order_by().values_list("pk")[: MAX_UNREAD + 1]
