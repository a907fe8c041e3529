"""The tickets that messages were split into."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from accounts.models import User
from tickets import policies
from tickets.models import Ticket


def splits_payload(user: User, ticket: Ticket) -> dict[UUID | None, list[dict[str, Any]]]:
    """Return the tickets that `user` may open, by the message they were split from; None is the first one."""
    found: dict[UUID | None, list[dict[str, Any]]] = defaultdict(list)
    for each in policies.visible_splits(user, ticket):
        found[each.reply_id].append({"url": each.created.get_absolute_url(), "reference": each.created.reference})
    return dict(found)
