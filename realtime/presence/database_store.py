"""The presence store in the database, for sites without Redis."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet

from realtime.broadcasting.expiring_values import DatabaseExpiringValues
from realtime.conf import config
from realtime.models import PresenceEntry, ServerProcess, database_time
from realtime.presence.store import (
    SOCKET_LIST_EXPIRY,
    EntryChange,
    Keys,
    Occupancy,
    PresenceEvent,
    PresenceStore,
    ProcessReport,
    SocketReport,
    SyncRequest,
    SyncResult,
    presence_events,
)
from realtime.protocol import Member, encode
from realtime.utils.circuit_breaker import unavailable_on

WANTS_SOCKETS = "wants-sockets"
ADVISORY_LOCK = 0x7265616C74696D65  # "realtime"


class DatabasePresenceStore(PresenceStore):
    """The presence store in the database."""

    @unavailable_on(DatabaseError)
    @transaction.atomic
    def sync(self, request: SyncRequest) -> SyncResult:
        _lock()
        now = database_time()
        processes = list(ServerProcess.objects.order_by("pk"))
        expired = [row.pk for row in processes if row.expires_at <= now and row.pk != request.process]
        had_lease = any(row.pk == request.process and row.expires_at > now for row in processes)
        _renew_lease(request, now + timedelta(seconds=config().lease))
        events = _remove(expired) + _apply(request.process, request.changes)
        wants_sockets = request.report is not None and DatabaseExpiringValues().get(WANTS_SOCKETS) is not None
        return SyncResult(had_lease, events, self.occupancy(request.channels), wants_sockets)

    @unavailable_on(DatabaseError)
    @transaction.atomic
    def remove_process(self, process: str) -> list[PresenceEvent]:
        _lock()
        return _remove([process])

    def admit_connection(self, process: str, limits: Mapping[str, int]) -> str | None:
        """Admit every connection: without Redis each process applies the limits by itself."""
        return None

    @unavailable_on(DatabaseError)
    def occupancy(self, channels: Iterable[str]) -> dict[str, Occupancy]:
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

    @unavailable_on(DatabaseError)
    def channel_names(self) -> list[str]:
        rows = PresenceEntry.objects.filter(process__expires_at__gt=database_time())
        return list(rows.values_list("channel", flat=True).distinct())

    @unavailable_on(DatabaseError)
    def processes(self) -> list[ProcessReport]:
        return [ProcessReport(**row.report) for row in _live_processes() if row.report is not None]

    @unavailable_on(DatabaseError)
    def request_sockets(self) -> None:
        DatabaseExpiringValues().put(WANTS_SOCKETS, {}, seconds=SOCKET_LIST_EXPIRY)

    @unavailable_on(DatabaseError)
    def sockets(self) -> list[SocketReport]:
        return [SocketReport(**socket) for row in _live_processes() for socket in row.sockets or ()]


def _live_processes() -> QuerySet[ServerProcess]:
    return ServerProcess.objects.filter(expires_at__gt=database_time()).order_by("pk")


def _renew_lease(request: SyncRequest, until: datetime) -> None:
    values: dict[str, Any] = {"expires_at": until}
    if request.report is not None:
        values |= {"report": asdict(request.report), "sockets": None}
    if request.sockets is not None:
        values["sockets"] = [asdict(socket) for socket in request.sockets]
    ServerProcess.objects.update_or_create(pk=request.process, defaults=values)


def _remove(processes: Sequence[str]) -> list[PresenceEvent]:
    if not processes:
        return []
    rows = PresenceEntry.objects.filter(process__in=processes)
    channels = set(rows.values_list("channel", flat=True))
    before = _keys(channels)
    ServerProcess.objects.filter(pk__in=processes).delete()
    return presence_events(before, _keys(channels))


def _apply(process: str, changes: Sequence[EntryChange]) -> list[PresenceEvent]:
    if not changes:
        return []
    channels = {change.channel for change in changes}
    before = _keys(channels)
    entries = [_entry(process, change) for change in changes if change.sockets is not None]
    for change in changes:
        if change.sockets is None:
            PresenceEntry.objects.filter(process=process, channel=change.channel, member=change.key).delete()
    unique, updated = ["process", "channel", "member"], ["sockets", "shown"]
    PresenceEntry.objects.bulk_create(entries, update_conflicts=True, unique_fields=unique, update_fields=updated)
    return presence_events(before, _keys(channels))


def _entry(process: str, change: EntryChange) -> PresenceEntry:
    shown = "" if change.member is None else encode([change.member.id, change.member.info])
    return PresenceEntry(
        process_id=process, channel=change.channel, member=change.key, sockets=change.sockets or 0, shown=shown
    )


def _keys(channels: Iterable[str]) -> Keys:
    return set(PresenceEntry.objects.filter(channel__in=channels).values_list("channel", "member"))


def _lock() -> None:
    """Serialize changes by all processes: events follow from comparing before and after. SQLite has one writer."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
