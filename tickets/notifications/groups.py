"""The notifications of a ticket as one entry, so that a burst of messages does not hide what else there is."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet

from accounts.models import User
from realtime.broadcasting.events import iso
from tickets import policies
from tickets.models import PERSONAL_KINDS, Notification
from tickets.notifications import records
from tickets.notifications.payloads import SUMMARIES, notification_payload

_IS_READ: Final = ExpressionWrapper(Q(read_at__isnull=False), output_field=BooleanField())


@dataclass(frozen=True)
class _Member:
    pk: UUID
    kind: str
    created_at: datetime


@dataclass(frozen=True)
class Entry:
    """The unread notifications of a ticket, or the read ones, the latest first."""

    members: Sequence[_Member]
    shown: Notification

    def payload(self) -> dict[str, Any]:
        """Return it as a notification, with the id and the time of its latest one, and what it says of the others."""
        latest = self.members[0]
        word = SUMMARIES.get(self.shown.kind)
        number = sum(SUMMARIES.get(member.kind) == word for member in self.members) if word else 1
        return {
            **notification_payload(self.shown),
            "id": str(latest.pk),
            "created_at": iso(latest.created_at),
            "count": len(self.members),
            "summary": word if number > 1 else None,
            "number": number,
            "more": len(self.members) - number,
        }


def groups_of(user: User) -> QuerySet[Notification, Any]:
    """Return the groups of what `user` may see, that with the latest notification first: `entries` reads some."""
    groups = policies.visible_notifications(user).values("ticket", is_read=_IS_READ)
    return groups.annotate(latest_at=Max("created_at")).order_by("-latest_at", "ticket", "is_read")


def entries(user: User, groups: Iterable[dict[str, Any]]) -> list[Entry]:
    """Return an entry for each group, in their order. One whose notifications were read meanwhile has none."""
    keys = [(group["ticket"], group["is_read"]) for group in groups]
    members = _members(user, [ticket for ticket, _ in keys])
    found = [members[key] for key in keys if key in members]
    chosen = [_most_important(group).pk for group in found]
    shown = records.listed(user).in_bulk(chosen)
    return [Entry(group, shown[pk]) for group, pk in zip(found, chosen, strict=True) if pk in shown]


def _members(user: User, tickets: Sequence[Any]) -> dict[tuple[Any, bool], list[_Member]]:
    visible = policies.visible_notifications(user).filter(ticket__in=tickets).order_by("-created_at", "-pk")
    members = defaultdict(list)
    for ticket, is_read, *values in visible.values_list("ticket", _IS_READ, "pk", "kind", "created_at"):
        members[ticket, is_read].append(_Member(*values))
    return members


def _most_important(group: Sequence[_Member]) -> _Member:
    """Return what concerns the person themselves, such as a mention, or else the latest."""
    return next((member for member in group if member.kind in PERSONAL_KINDS), group[0])
