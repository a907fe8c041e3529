"""What was told on some channels since a cursor: by the same rules and audiences as the socket."""

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

TOLD = "broadcast_id", "channel", "version"  # of a delivery


class RefusedChannels(Exception):
    """Channels that the person may not hear; their full names are the arguments."""


@dataclass(frozen=True)
class HistoryPage:
    """Events in the order of the log; where to go on; and whether the log does not reach back so far."""

    cursor: str
    events: list[dict[str, Any]] = field(default_factory=list)
    reset: bool = False


def present() -> str:
    """Return the cursor of this moment: what commits from now on lies at or after it."""
    return cursors.encode_cursor(event_log.watermark())


def read(user: Any, channels: Iterable[str], since: str | None) -> HistoryPage:
    """Return what `user` may hear of `channels` since the cursor, each event once; without a cursor, the present."""
    audiences = authorize_many(user, channels)
    refused = [channel for channel, audience in audiences.items() if audience is None]
    if refused:
        raise RefusedChannels(*refused)
    mark = event_log.watermark()
    nothing = HistoryPage(cursors.encode_cursor(mark))
    if since is None:
        return nothing
    position = cursors.decode_cursor(since)
    if position is None or position > mark or not LogRetention.covers(position, mark):
        return replace(nothing, reset=True)
    deliveries = _deliveries(audiences, position)
    if len(deliveries) > limits.MAX_HISTORY_EVENTS:
        return replace(nothing, reset=True)
    return replace(nothing, events=_events(user, deliveries))


def _deliveries(audiences: dict[str, Audience | None], position: int) -> list[Delivery]:
    """Return one delivery for each broadcast, the fullest that the person hears, without payloads."""
    groups = _numbered("channel", audiences.keys()) | _numbered("audience", audiences.values())
    fullest: dict[int, Delivery] = {}
    most = (limits.MAX_HISTORY_EVENTS + 1) * len(audiences)
    for found in _told.rows(len(audiences), most, position=position, **groups):
        row = Delivery(**dict(zip(TOLD, found, strict=True)))
        known = fullest.setdefault(row.broadcast_id, row)
        if Audience(row.version) is Audience.STAFF and known.version != row.version:
            fullest[row.broadcast_id] = row
    return list(fullest.values())


def _numbered(name: str, values: Iterable[Any]) -> dict[str, str]:
    return {f"{name}{number}": str(value) for number, value in enumerate(values)}


@CompiledQuery
def _told(number: int, most: int, *, position: int, **groups: str) -> QuerySet[Delivery, Any]:
    """Return what was told so many groups, of which each has a channel and an audience; `most` rows of it."""
    heard = (Q(channel=groups[f"channel{n}"], audience=groups[f"audience{n}"]) for n in range(number))
    return event_log.since(position).filter(reduce(or_, heard)).values_list(*TOLD)[:most]


def _events(user: Any, deliveries: list[Delivery]) -> list[dict[str, Any]]:
    broadcasts = event_log.payloads(row.broadcast_id for row in deliveries)
    told = [(row, broadcasts[row.broadcast_id]) for row in deliveries if row.broadcast_id in broadcasts]
    admitted = authorize_many(user, {broadcast.guard for _, broadcast in told} - {""})
    return [_event(row, broadcast) for row, broadcast in told if _may_replay(row, broadcast, admitted)]


def _may_replay(row: Delivery, broadcast: Broadcast, admitted: dict[str, Audience | None]) -> bool:
    """Say whether the guard still admits the person to this version: a note heard once is not told again for ever."""
    if not broadcast.guard:
        return True
    audience = admitted[broadcast.guard]
    return audience is not None and audience.includes(Audience(row.version))


def _event(row: Delivery, broadcast: Broadcast) -> dict[str, Any]:
    data = json.loads(broadcast.data(Audience(row.version)))
    return {"event": broadcast.event, "channel": row.channel, "data": data}
