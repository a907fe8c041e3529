"""What the page of a ticket shows of merges: where it goes on, and what was merged into it."""

from typing import Any

from django.db.models import Count, Q
from django.utils.translation import ngettext

from accounts.models import User
from realtime import Audience
from realtime.broadcasting.events import iso
from tickets import payloads, policies
from tickets.merging.services import can_still_be_undone
from tickets.models import Reply, Ticket

MAX_MESSAGES = 100  # of a merged ticket; its own page has all of them


def merge_payload(user: User, ticket: Ticket, audience: Audience) -> dict[str, Any]:
    """Return the merges of `ticket` that `user` may see, each ticket under its own policy.

    For its customers a ticket is merged only if they may open the other one.
    """
    target = policies.target_of_merge(user, ticket)
    sources = policies.merged_tickets(user, ticket)
    numbers = _numbers_of_replies(sources)
    return {
        "is_merged": target is not None or (ticket.is_merged and audience is Audience.STAFF),
        "into": None if target is None else _named(target) | _merge_data(user, ticket, target),
        "merged": [_section(user, source, ticket, numbers.get(source.pk, {})) for source in sources],
    }


def messages_payload(user: User, ticket: Ticket) -> dict[str, Any]:
    """Return the first message of a ticket and its latest replies, as `user` may read them there."""
    audience = policies.audience_of(user, ticket) or Audience.PUBLIC
    latest = list(policies.visible_replies(user, ticket).order_by("-number")[: MAX_MESSAGES + 1])
    shown = [payloads.reply_payload(reply, audience) for reply in latest[:MAX_MESSAGES][::-1]]
    return {"messages": [payloads.opening_payload(ticket, audience), *shown], "is_cut": len(latest) > MAX_MESSAGES}


def _section(user: User, source: Ticket, ticket: Ticket, numbers: dict[str, int]) -> dict[str, Any]:
    audience = policies.audience_of(user, source) or Audience.PUBLIC
    number = numbers.get(audience.value, 0) + 1  # with the first message
    label = ngettext("%(number)d message of %(reference)s", "%(number)d messages of %(reference)s", number)
    shown = {"number": number, "label": label % {"number": number, "reference": source.reference}}
    return _named(source) | shown | _merge_data(user, source, ticket)


def _merge_data(user: User, source: Ticket, target: Ticket) -> dict[str, Any]:
    """Return who merged `source` and when, and whether `user` can undo it."""
    audience = policies.audience_of(user, source) or Audience.PUBLIC
    by = source.merged_by
    is_direct = source.merged_into_id == target.pk
    return {
        "by": "" if by is None else payloads.user_payload(by, source, audience)["name"],
        "at": "" if source.merged_at is None else iso(source.merged_at),
        "can_undo": is_direct and policies.can_merge(user, source, target) and can_still_be_undone(source),
    }


def _named(ticket: Ticket) -> dict[str, Any]:
    return {
        "uuid": str(ticket.uuid),
        "url": ticket.get_absolute_url(),
        "reference": ticket.reference,
        "subject": ticket.subject,
    }


def _numbers_of_replies(tickets: list[Ticket]) -> dict[int, dict[str, int]]:
    """Return the number of replies of each ticket, for each audience."""
    if not tickets:
        return {}
    rows = Reply.objects.filter(ticket__in=tickets).order_by().values("ticket")
    counted = rows.annotate(staff=Count("pk"), public=Count("pk", filter=Q(is_internal=False)))
    return {row["ticket"]: {"staff": row["staff"], "public": row["public"]} for row in counted}
