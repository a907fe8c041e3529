"""The census in the database, for a desk without Redis."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

from django.db import DatabaseError, connection, transaction

from realtime.broadcasting.expiring_values import DatabaseExpiringValues
from realtime.conf import config
from realtime.models import PresenceEntry, ServerProcess, database_time
from realtime.presence.store import (
    Change,
    Occupancy,
    Seats,
    SyncRequest,
    SyncResult,
    Unavailable,
    transitions,
)
from realtime.protocol import Member, encode

WANTS_SOCKETS = "wants-sockets"
TURN = 0x7265616C74696D65  # "realtime": the number of our advisory lock


@contextmanager
def opened() -> Iterator[ModuleType]:
    """Give this module; a database that is away makes the census unavailable."""
    try:
        yield sys.modules[__name__]
    except DatabaseError as error:
        raise Unavailable(str(error)) from error


@transaction.atomic
def exchange(word: SyncRequest) -> SyncResult:
    """See `store.exchange`."""
    _take_turns()
    now = database_time()
    running = list(ServerProcess.objects.order_by("pk"))
    ended = [row.pk for row in running if row.expires_at <= now and row.pk != word.process]
    known = any(row.pk == word.process and row.expires_at > now for row in running)
    _renew(word, now + timedelta(seconds=config().lease))
    events = _end(ended) + _apply(word.process, word.changes)
    wants_sockets = word.report is not None and DatabaseExpiringValues().get(WANTS_SOCKETS) is not None
    return SyncResult(known, events, occupancy(list(word.rooms)), wants_sockets)


def _renew(word: SyncRequest, until: datetime) -> None:
    said: dict[str, Any] = {"expires_at": until}
    if word.report is not None:
        said |= {"report": asdict(word.report), "sockets": None}
    if word.sockets is not None:
        said["sockets"] = [asdict(socket) for socket in word.sockets]
    ServerProcess.objects.update_or_create(pk=word.process, defaults=said)


def _end(processes: Sequence[str]) -> list[dict[str, str]]:
    if not processes:
        return []
    rows = PresenceEntry.objects.filter(process__in=processes)
    channels = set(rows.values_list("channel", flat=True))
    before = _seats(channels)
    ServerProcess.objects.filter(pk__in=processes).delete()
    return transitions(before, _seats(channels))


def _apply(process: str, changes: Sequence[Change]) -> list[dict[str, str]]:
    if not changes:
        return []
    channels = {change.channel for change in changes}
    before = _seats(channels)
    taken = [_entry(process, change) for change in changes if change.sockets is not None]
    for change in changes:
        if change.sockets is None:
            PresenceEntry.objects.filter(process=process, channel=change.channel, member=change.key).delete()
    unique, updated = ["process", "channel", "member"], ["sockets", "shown"]
    PresenceEntry.objects.bulk_create(taken, update_conflicts=True, unique_fields=unique, update_fields=updated)
    return transitions(before, _seats(channels))


def _entry(process: str, change: Change) -> PresenceEntry:
    shown = "" if change.member is None else encode([change.member.id, change.member.info])
    return PresenceEntry(
        process_id=process, channel=change.channel, member=change.key, sockets=change.sockets or 0, shown=shown
    )


def _seats(channels: Iterable[str]) -> Seats:
    return set(PresenceEntry.objects.filter(channel__in=channels).values_list("channel", "member"))


def forget(process: str) -> list[dict[str, str]]:
    """See `store.forget`."""
    with transaction.atomic():
        _take_turns()
        return _end([process])


def admit(process: str, shares: Mapping[str, int]) -> str | None:
    """See `store.admit`."""
    return None


def occupancy(channels: Sequence[str]) -> dict[str, Occupancy]:
    """See `store.occupancy`."""
    found = {channel: Occupancy() for channel in channels}
    if not found:
        return found
    rows = PresenceEntry.objects.filter(channel__in=found, process__expires_at__gt=database_time())
    for row in rows.order_by("channel", "member", "process"):
        known = found[row.channel]
        members = known.members
        if row.member:
            members = members | {row.member: Member(*json.loads(row.shown))}
        found[row.channel] = Occupancy(known.subscriptions + row.sockets, members)
    return found


def occupied() -> list[str]:
    """Return the names of the channels that somebody hears."""
    rows = PresenceEntry.objects.filter(process__expires_at__gt=database_time())
    return list(rows.values_list("channel", flat=True).distinct())


def reports() -> list[dict[str, Any]]:
    """Return what the running processes said last of how they are doing."""
    rows = ServerProcess.objects.filter(expires_at__gt=database_time())
    return [row.report for row in rows if row.report is not None]


def sockets() -> list[dict[str, Any]]:
    """Return the sockets that the running processes listed last."""
    rows = ServerProcess.objects.filter(expires_at__gt=database_time())
    return [socket for row in rows.order_by("pk") for socket in row.sockets or ()]


def ask_for_sockets(seconds: int) -> None:
    """See `store.ask_for_sockets`."""
    DatabaseExpiringValues().put(WANTS_SOCKETS, {}, seconds=seconds)


def _take_turns() -> None:
    """Wait until no other process changes the census: who comes first is found by comparing before and after.

    SQLite has one writer anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
