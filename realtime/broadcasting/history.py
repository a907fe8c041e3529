"""Events on some channels since a cursor, with the same authorization and audiences as on the socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from realtime import limits
from realtime.broadcasting import cursors, event_log
from realtime.channels import Audience, authorize_many
from realtime.models import Broadcast, Delivery, LogRetention
from realtime.utils.compiled_query import CompiledQuery
from realtime.utils.snapshots import Snapshot

FIELDS = "broadcast_id", "channel", "version"  # of a delivery
NO_POSITION = -1  # stands for "none": a list in a compiled query is not empty


class RefusedChannels(Exception):
    """Channels that refuse the user; their full names are the arguments."""


class InvalidCursor(ValueError):
    """A text that is no cursor: damaged, mistyped, or encrypted with another SECRET_KEY."""


@dataclass(frozen=True)
class HistoryPage:
    """Events in log order, the next cursor, and whether the log no longer reaches back to the given one."""

    cursor: str
    events: list[dict[str, Any]] = field(default_factory=list)
    reset: bool = False


def current_cursor() -> str:
    """Return the cursor of this moment: every later commit is after it."""
    return cursors.encode_cursor(event_log.current_snapshot())


def read(user: Any, channels: Iterable[str], since: str | None) -> HistoryPage:
    """Return the events of `channels` since a cursor, each once, as `user` may see them; without one, no events.

    Raises RefusedChannels, InvalidCursor.
    """
    seen = None if since is None else cursors.decode_cursor(since)
    if since is not None and seen is None:
        raise InvalidCursor
    audiences = authorize_many(user, channels)
    refused = [channel for channel, audience in audiences.items() if audience is None]
    if refused:
        raise RefusedChannels(*refused)
    now = event_log.current_snapshot()
    empty = HistoryPage(cursors.encode_cursor(now))
    if seen is None:
        return empty
    if now.is_before(seen) or not LogRetention.covers(seen, now):
        return replace(empty, reset=True)
    deliveries = _deliveries(audiences, seen)
    if len(deliveries) > limits.MAX_HISTORY_EVENTS:
        return replace(empty, reset=True)
    return replace(empty, events=_events(user, deliveries))


def _deliveries(audiences: dict[str, Audience | None], seen: Snapshot) -> list[Delivery]:
    """Return one delivery for each broadcast, with the widest version, without payloads."""
    groups = _numbered("channel", audiences.keys()) | _numbered("audience", audiences.values())
    widest: dict[int, Delivery] = {}
    limit = (limits.MAX_HISTORY_EVENTS + 1) * len(audiences)
    running = list(seen.running) or [NO_POSITION]
    for found in _deliveries_to.rows(len(audiences), limit, end=seen.end, running=running, **groups):
        row = Delivery(**dict(zip(FIELDS, found, strict=True)))
        known = widest.setdefault(row.broadcast_id, row)
        if Audience(row.version) is Audience.STAFF and known.version != row.version:
            widest[row.broadcast_id] = row
    return list(widest.values())


def _numbered(name: str, values: Iterable[Any]) -> dict[str, str]:
    return {f"{name}{number}": str(value) for number, value in enumerate(values)}


@CompiledQuery
def _deliveries_to(
    number: int, limit: int, *, end: int, running: list[int], **groups: str
) -> QuerySet[Delivery, Any]:
    """Select the deliveries that a snapshot did not see to `number` groups, each a channel and an audience."""
    matches = (Q(channel=groups[f"channel{n}"], audience=groups[f"audience{n}"]) for n in range(number))
    return event_log.deliveries_since(end, running).filter(reduce(or_, matches)).values_list(*FIELDS)[:limit]


def _events(user: Any, deliveries: list[Delivery]) -> list[dict[str, Any]]:
    broadcasts = event_log.payloads(row.broadcast_id for row in deliveries)
    rows = [(row, broadcasts[row.broadcast_id]) for row in deliveries if row.broadcast_id in broadcasts]
    guards = authorize_many(user, {broadcast.guard for _, broadcast in rows} - {""})
    return [_event(row, broadcast) for row, broadcast in rows if _may_replay(row, broadcast, guards)]


def _may_replay(row: Delivery, broadcast: Broadcast, guards: dict[str, Audience | None]) -> bool:
    """Return whether the event's guard still authorizes the user for this version."""
    if not broadcast.guard:
        return True
    audience = guards[broadcast.guard]
    return audience is not None and audience.includes(Audience(row.version))


def _event(row: Delivery, broadcast: Broadcast) -> dict[str, Any]:
    data = json.loads(broadcast.data(Audience(row.version)))
    return {"event": broadcast.event, "channel": row.channel, "data": data}
