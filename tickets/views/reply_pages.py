"""Pages of a conversation: the latest replies, and from there back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import User
from realtime.utils import encryption
from tickets import policies
from tickets.models import Reply, Ticket

PAGE_SIZE = 50
AFTER_NAMED = 10  # replies shown after the one that a link names
AFTER_FIRST_UNREAD = 39
PURPOSE = "replies.page"


@dataclass(frozen=True)
class ReplyPage:
    """Replies in their order, and cursors of the pages around them. Cursors are encrypted: positions count notes."""

    replies: list[Reply]
    earlier: str = ""
    later: str = ""
    # The page has the positions from `start` to before `end`, where the next one begins; None at the ends.
    start: int | None = None
    end: int | None = None

    def holds(self, number: int) -> bool:
        """Return whether the position is on this page."""
        return (self.start is None or self.start <= number) and (self.end is None or number < self.end)


def reply_page(user: User, ticket: Ticket, query: QueryDict, *, start: Reply | None = None) -> ReplyPage:
    """Return the replies `before` or `after` a cursor, or around the `reply` that is named.

    Without these the replies around `start`, or else the latest ones, which are also those with `latest`.
    """
    # Later replies arrive as live events.
    replies = policies.visible_replies(user, ticket).filter(number__lte=ticket.staff_seq)
    before, after = (_position(query.get(name, ""), ticket) for name in ("before", "after"))
    if before is None and after is None:
        if start is not None and query.keys().isdisjoint(("reply", "latest")):
            before = _end_around(replies, str(start.pk), AFTER_FIRST_UNREAD)
        else:
            before = _end_around(replies, query.get("reply", ""), AFTER_NAMED)
    if after is not None:
        rows = list(replies.filter(number__gt=after).order_by("number")[: PAGE_SIZE + 1])
        end = rows[PAGE_SIZE].number if len(rows) > PAGE_SIZE else None
        return _page(ticket, rows[:PAGE_SIZE], is_first=False, end=end)
    earlier = replies if before is None else replies.filter(number__lt=before)
    rows = list(earlier.order_by("-number")[: PAGE_SIZE + 1])
    return _page(ticket, rows[:PAGE_SIZE][::-1], is_first=len(rows) <= PAGE_SIZE, end=before)


def _page(ticket: Ticket, replies: list[Reply], *, is_first: bool, end: int | None) -> ReplyPage:
    """Return the page before the position `end`; None if it is the latest one."""
    if not replies:
        return ReplyPage([], end=end)
    earlier = "" if is_first else _cursor(replies[0].number, ticket)
    later = "" if end is None else _cursor(replies[-1].number, ticket)
    return ReplyPage(replies, earlier, later, None if is_first else replies[0].number, end)


def _end_around(replies: QuerySet[Reply], reply: str, afterwards: int) -> int | None:
    """Return the position before which the page with `reply` ends; None if that is the latest page."""
    try:
        named = replies.filter(pk=UUID(reply)).values_list("number", flat=True).first()
    except ValueError:
        return None
    if named is None:
        return None
    following: list[Any] = list(
        replies.filter(number__gt=named).order_by("number").values_list("number", flat=True)[: PAGE_SIZE + 1]
    )
    # On the latest page if at most PAGE_SIZE - 1 replies follow.
    return following[afterwards] if len(following) >= PAGE_SIZE else None


def _cursor(number: int, ticket: Ticket) -> str:
    return encryption.encrypt(f"{ticket.uuid} {number}", purpose=PURPOSE)


def _position(cursor: str, ticket: Ticket) -> int | None:
    """Return the position that `cursor` stands for; None for a cursor of another ticket."""
    uuid, _separator, number = (encryption.decrypt(cursor, purpose=PURPOSE) or "").partition(" ")
    return int(number) if uuid == str(ticket.uuid) else None
