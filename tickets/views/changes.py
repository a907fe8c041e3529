"""Changes of a ticket: as lines between its messages, and as its activity."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from realtime import Audience
from tickets import payloads, policies
from tickets.models import Ticket, TimelineEntry
from tickets.views.reply_pages import ReplyPage

Action = TimelineEntry.Action
MAX_ACTIVITY = 100  # entries of a page; the API has all of them
MAX_LINES = 100  # between the messages of a page
LINES = (Action.STATUS, Action.PRIORITY, Action.ASSIGNED_TO, Action.OFFICE)
MESSAGES = {
    Audience.STAFF: (Action.REPLIED, Action.NOTED),
    # Customers see a published note as a reply.
    Audience.PUBLIC: (Action.REPLIED, Action.NOTED, Action.PUBLISHED),
}


@dataclass(frozen=True)
class Activity:
    """The latest entries of a ticket's timeline without its messages, oldest first."""

    entries: list[TimelineEntry]
    is_cut: bool


def activity_of(user: User, ticket: Ticket, audience: Audience) -> Activity:
    """Return the activity as far as the page has it: what is later arrives as live events."""
    entries = policies.visible_timeline(user, ticket).filter(number__lte=ticket.staff_seq)
    entries = entries.exclude(action__in=MESSAGES[audience])
    latest = list(entries.order_by("-pk")[: MAX_ACTIVITY + 1])[::-1]
    return Activity(latest[-MAX_ACTIVITY:], len(latest) > MAX_ACTIVITY)


def lines_of(user: User, ticket: Ticket, page: ReplyPage, activity: Activity | None = None) -> list[TimelineEntry]:
    """Return the changes that stand on a page of replies, with a query only if `activity` does not have them all."""
    if activity is not None and not activity.is_cut:
        return [entry for entry in activity.entries if entry.action in LINES and page.holds(entry.number)]
    entries = policies.visible_timeline(user, ticket).filter(number__lte=ticket.staff_seq, action__in=LINES)
    if page.start is not None:
        entries = entries.filter(number__gte=page.start)
    if page.end is not None:
        entries = entries.filter(number__lt=page.end)
    return list(entries.order_by("-pk")[:MAX_LINES])[::-1]


def with_changes(
    page: ReplyPage, replies: Sequence[dict[str, Any]], lines: Sequence[TimelineEntry], audience: Audience
) -> list[dict[str, Any]]:
    """Return the `replies` of a page, each with the changes before it; a last item without reply has those after."""
    thread: list[dict[str, Any]] = [{"reply": reply, "changes": []} for reply in [*replies, None]]
    numbers = [reply.number for reply in page.replies]
    for line in lines:
        shown = payloads.timeline_payload(line, line.ticket, audience)
        thread[bisect(numbers, line.number)]["changes"].append(shown)
    return thread
