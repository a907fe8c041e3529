"""A ticket's latest messages and who has to write next: kept on its row, so that lists of many tickets are quick."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from accounts.models import User
from realtime import Audience
from tickets.models import Reply, Ticket, WaitingFor

FIELDS = (
    "last_number",
    "last_message_at",
    "last_public_number",
    "last_public_message_at",
    "waiting_for",
    "waiting_since",
    "first_replied_at",
)
CUSTOMER = "customer"  # a role
NEVER = 2**31 - 1  # after every number
# In queries of replies: the ticket's creator, who may be staff, and every other customer.
FROM_CUSTOMER = Q(author=F("ticket__creator")) | Q(author__role=CUSTOMER)


def record_message(ticket: Ticket, *, by: User, number: int, at: datetime, audience: Audience) -> None:
    """Set the latest message of a ticket that is being saved, and who has to write next."""
    ticket.last_number, ticket.last_message_at = number, at
    if audience is not Audience.PUBLIC:
        return
    ticket.last_public_number, ticket.last_public_message_at = number, at
    is_customer = by.is_customer or by.pk == ticket.creator_id
    waiting_for = WaitingFor.STAFF if is_customer else WaitingFor.CUSTOMER
    if not is_customer and ticket.first_replied_at is None:
        ticket.first_replied_at = at
    if ticket.waiting_for != waiting_for:
        ticket.waiting_for, ticket.waiting_since = waiting_for, at


def recount(ticket: Ticket, *, without: Reply | None = None) -> None:
    """Derive them again from the stored messages, after one was deleted or changed its audience."""
    replies = Reply.objects.all() if without is None else Reply.objects.exclude(pk=without.pk)
    Ticket.objects.filter(pk=ticket.pk).update(**stored_state(replies), first_replied_at=first_reply(replies))
    ticket.refresh_from_db(fields=FIELDS)


def first_reply(replies: QuerySet[Any]) -> Subquery:
    """Return the time of the first public reply of staff, as an expression on tickets."""
    public = replies.filter(ticket=OuterRef("pk"), is_internal=False)
    return Subquery(public.exclude(FROM_CUSTOMER).order_by("number").values("created_at")[:1])


def stored_state(replies: QuerySet[Any]) -> dict[str, Any]:
    """Return FIELDS but the last as expressions on tickets: one UPDATE derives them for any number of tickets."""
    messages = replies.filter(ticket=OuterRef("pk"))
    public = messages.filter(is_internal=False)
    last_is_answer = Subquery(
        public.order_by("-number").values(is_answer=Case(When(FROM_CUSTOMER, then=0), default=1))[:1]
    )
    is_answered = Q(Exact(Coalesce(last_is_answer, 0), 1))
    turn = Case(
        # The ticket's first message is the customer's.
        When(is_answered, then=_first_after(public.exclude(FROM_CUSTOMER), replies.filter(FROM_CUSTOMER), 0)),
        default=_first_after(public.filter(FROM_CUSTOMER), replies.exclude(FROM_CUSTOMER), NEVER),
    )
    return {
        "last_number": Coalesce(_newest(messages, "number"), 0),
        "last_message_at": Coalesce(_newest(messages, "created_at"), F("created_at")),
        "last_public_number": Coalesce(_newest(public, "number"), 0),
        "last_public_message_at": Coalesce(_newest(public, "created_at"), F("created_at")),
        "waiting_for": Case(
            When(is_answered, then=Value(WaitingFor.CUSTOMER)),
            default=Value(WaitingFor.STAFF),
            output_field=CharField(),
        ),
        "waiting_since": Coalesce(turn, F("created_at")),
    }


def _first_after(side: QuerySet[Any], other: QuerySet[Any], without: int) -> Subquery:
    """Return the time of the first message of one side after the last public one of the other, or after `without`."""
    of_other = other.filter(ticket=OuterRef("ticket"), is_internal=False).order_by("-number").values("number")
    after = side.filter(number__gt=Coalesce(Subquery(of_other[:1]), without))
    return Subquery(after.order_by("number").values("created_at")[:1])


def _newest(replies: QuerySet[Any], field: str) -> Subquery:
    return Subquery(replies.order_by("-number").values(field)[:1])
