"""What was told on some channels since a cursor: by the same rules and audiences as the socket."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from realtime import limits, log
from realtime.channels import Audience, hears
from realtime.models import Delivery, LogFloor


class InvalidCursor(ValueError):
    """A cursor that this server did not give."""


class RefusedChannels(Exception):
    """Channels that the person may not hear; their full names are the arguments."""


@dataclass(frozen=True)
class Answer:
    """Events in the order of the log; where to go on; and whether the log does not reach back so far."""

    cursor: str
    events: list[dict[str, Any]] = field(default_factory=list)
    reset: bool = False


def present() -> str:
    """Return the cursor of this moment: what commits from now on lies at or after it."""
    return format(log.watermark(), "x")


def read(user: Any, channels: Iterable[str], since: str | None) -> Answer:
    """Return what `user` may hear of `channels` since the cursor, each event once; without a cursor, the present."""
    audiences = {channel: hears(user, channel) for channel in channels}
    refused = [channel for channel, audience in audiences.items() if audience is None]
    if refused:
        raise RefusedChannels(*refused)
    mark = log.watermark()
    cursor = format(mark, "x")
    if since is None:
        return Answer(cursor)
    position = _parse(since)
    if not LogFloor.current() <= position <= mark:
        return Answer(cursor, reset=True)
    deliveries = _deliveries(audiences, position)
    guards = {row.broadcast.guard for row in deliveries} - {""}
    if len(deliveries) > limits.MAX_HISTORY_EVENTS or len(guards) > limits.MAX_HISTORY_GUARDS:
        return Answer(cursor, reset=True)
    admitted = {guard: hears(user, guard) for guard in guards}
    return Answer(cursor, [_event(row) for row in deliveries if _may_replay(row, admitted)])


def _parse(cursor: str) -> int:
    try:
        position = int(cursor, 16)
    except ValueError:
        raise InvalidCursor("The cursor is not one of this server's.") from None
    if not 0 <= position < 2**63:
        raise InvalidCursor("The cursor is not one of this server's.")
    return position


def _deliveries(audiences: dict[str, Audience | None], position: int) -> list[Delivery]:
    """Return one delivery for each broadcast, the fullest that the person hears."""
    rows = log.since(position).filter(channel__in=audiences).select_related("broadcast")
    fullest: dict[int, Delivery] = {}
    for row in rows[: (limits.MAX_HISTORY_EVENTS + 1) * len(Audience) * len(audiences)]:
        if row.audience != audiences[row.channel]:
            continue
        known = fullest.setdefault(row.broadcast_id, row)
        if Audience(row.version) is Audience.STAFF and known.version != row.version:
            fullest[row.broadcast_id] = row
    return list(fullest.values())


def _may_replay(row: Delivery, admitted: dict[str, Audience | None]) -> bool:
    """Say whether the guard still admits the person to this version: a note heard once is not told again for ever."""
    if not row.broadcast.guard:
        return True
    audience = admitted[row.broadcast.guard]
    return audience is not None and audience.includes(Audience(row.version))


def _event(row: Delivery) -> dict[str, Any]:
    data = json.loads(row.broadcast.data(Audience(row.version)))
    return {"event": row.broadcast.event, "channel": row.channel, "data": data}
