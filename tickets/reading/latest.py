"""The latest message of each ticket in a list: who wrote it, and how it begins."""

from collections.abc import Sequence
from typing import Any

from django.db.models.functions import Left

from realtime import Audience
from tickets import payloads, policies
from tickets.models import Reply, Ticket

PREVIEW = 140  # characters
READ = 400  # of a message: spaces and line breaks are collapsed


def latest_messages(tickets: Sequence[Any]) -> dict[int, dict[str, Any]]:
    """Return by primary key the latest message that the reader of each ticket may see, with two queries.

    The tickets are rows of `policies.listed_tickets`.
    """
    replies = policies.latest_replies(tickets).annotate(start=Left("message", READ))
    found = {reply.ticket_id: reply for reply in replies.select_related("author").defer("message", "rendered")}
    without = [ticket.pk for ticket in tickets if ticket.pk not in found]
    openings = dict(Ticket.objects.filter(pk__in=without).values_list("pk", Left("content", READ)))
    return {ticket.pk: _payload(ticket, found.get(ticket.pk), openings.get(ticket.pk, "")) for ticket in tickets}


def _payload(ticket: Any, reply: Reply | None, opening: str) -> dict[str, Any]:
    """Return a message as `payloads.reply_payload` names its parts."""
    audience = Audience.STAFF if ticket.is_staffed else Audience.PUBLIC
    author = ticket.creator if reply is None else reply.author
    return {
        "id": None if reply is None else str(reply.pk),
        "user": payloads.user_payload(author, ticket, audience),
        "is_internal": reply is not None and reply.is_internal,
        "preview": preview(opening if reply is None else reply.start),  # type: ignore[attr-defined]
    }


def preview(text: str) -> str:
    """Return the beginning of a message on one line."""
    return " ".join(text.split())[:PREVIEW]
