"""Read the event log without gaps, although transactions commit out of order.

Ids alone have gaps: a row may commit after one with a higher id was read. On PostgreSQL a delivery therefore stores
the 64-bit id of its transaction, and a reader remembers a snapshot: which transactions it has seen. Take the snapshot
first, then read the rows that the previous one did not see: no row falls between, and a transaction that stays open
for long neither hides rows nor makes the reader repeat them.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from realtime import protocol
from realtime.broadcasting.channel_layer import REAUTHORIZE_CHANNEL, RELAY_CHANNEL, group_name
from realtime.broadcasting.messages import Deliver
from realtime.channels import Audience
from realtime.models import Broadcast, Delivery, LogRetention, Receipt, SnapshotEnd
from realtime.utils.compiled_query import CompiledQuery
from realtime.utils.snapshots import Snapshot

RELAY_RETENTION = 60  # seconds that relayed messages are kept
PRECEDING_WINDOW = 30  # seconds that later events name an earlier one; log tailers deliver it much sooner
SNAPSHOT = {
    "postgresql": "SELECT pg_current_snapshot()::text",  # xmin:xmax:xip,xip
    "sqlite": "SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'realtime_broadcast'",
}


def current_snapshot() -> Snapshot:
    """Return what is committed and visible now."""
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT[connection.vendor])
        found = cursor.fetchone()[0]
    if connection.vendor != "postgresql":
        return Snapshot(int(found))
    _, end, running = found.split(":")
    return Snapshot.of(int(end), [int(each) for each in running.split(",") if each])


def deliveries_since(end: int, running: Iterable[int] = ()) -> QuerySet[Delivery]:
    """Return the deliveries that a snapshot, given by its parts, did not see, in the order of the log."""
    rows = Delivery.objects.filter(Q(position__gte=end) | Q(position__in=running)).order_by("broadcast_id", "pk")
    # Rows beyond the present were restored from another cluster with other transaction ids.
    return rows.filter(position__lt=SnapshotEnd()) if connection.vendor == "postgresql" else rows


def read_since(snapshot: Snapshot) -> tuple[Snapshot, list[Delivery]]:
    """Return a snapshot of now, and the deliveries that `snapshot` did not see, without payloads."""
    now, rows = current_snapshot(), deliveries_since(snapshot.end, snapshot.running)
    return now, list(rows.only("broadcast_id", "position", "channel", "audience", "version"))


def last_positions(limit: int) -> tuple[int, dict[str, int]]:
    """Return the position from which the last `limit` deliveries are complete, and each group's last position.

    The channel layer's groups are in the order of their positions.
    """
    before = deliveries_since(0).order_by("-position").values_list("position", flat=True)[limit : limit + 1].first()
    oldest = max(LogRetention.oldest_position(), 0 if before is None else before + 1)
    rows = (
        deliveries_since(oldest)
        .order_by()
        .values("channel", "audience")
        .annotate(last=Max("position"))
        .order_by("last")
    )
    return oldest, {group_name(row["channel"], Audience(row["audience"])): row["last"] for row in rows}


def recent_deliveries(snapshot: Snapshot) -> list[int]:
    """Return the ids of the deliveries of the last PRECEDING_WINDOW seconds that `snapshot` saw."""
    rows = Delivery.objects.filter(broadcast__created_at__gte=_ago(seconds=PRECEDING_WINDOW))
    return [pk for pk, position in rows.values_list("pk", "position") if snapshot.sees(position)]


@dataclass(frozen=True)
class Preceding:
    """The deliveries that a process must have made before it makes those of later broadcasts."""

    reauthorizations: list[int]
    last: dict[tuple[str, str, str], int]  # by ordering key, channel and audience

    def before(self, delivery: Delivery, ordering_key: str) -> list[int]:
        """Return the ids of the deliveries that precede `delivery`, which then precedes those that follow."""
        place = (ordering_key, delivery.channel, delivery.audience)
        last = self.last.get(place)
        if ordering_key:
            self.last[place] = delivery.pk
        return self.reauthorizations if last is None else [*self.reauthorizations, last]


def preceding(broadcasts: Sequence[Broadcast]) -> Preceding:
    """Return the recent revocations, and on each channel the last recent event with each ordering key."""
    keys = list({broadcast.ordering_key for broadcast in broadcasts} - {""})
    keyed: dict[str, Any] = {"keys": keys, "before": broadcasts[0].pk} if keys else {}
    found = sorted(_preceding.rows(**keyed))
    last = {(key, channel, audience): pk for pk, channel, audience, key in found if channel != REAUTHORIZE_CHANNEL}
    return Preceding([pk for pk, channel, *_ in found if channel == REAUTHORIZE_CHANNEL], last)


@CompiledQuery
def _preceding(*, keys: Sequence[str] = (), before: int = 0) -> QuerySet[Delivery, Any]:
    columns = "pk", "channel", "audience", "broadcast__ordering_key"
    recent = Delivery.objects.filter(broadcast__created_at__gte=_ago(seconds=PRECEDING_WINDOW))
    rows = recent.filter(channel=REAUTHORIZE_CHANNEL).values_list(*columns)
    if not keys:
        return rows
    earlier = recent.filter(broadcast__ordering_key__in=keys, broadcast__lt=before)
    return rows.union(earlier.values_list(*columns), all=True)


def group_of(delivery: Delivery) -> str:
    """Return the channel layer's group that receives the delivery."""
    return group_name(delivery.channel, Audience(delivery.audience))


def layer_message(delivery: Delivery, broadcast: Broadcast, after: Sequence[int] = ()) -> Deliver:
    """Return what the channel layer carries; the deliveries `after` must be applied first."""
    data, event_id = broadcast.data(Audience(delivery.version)), str(broadcast.event_id)
    frame = protocol.frame(broadcast.event, channel=delivery.channel, data=data, event_id=event_id)
    group, committed_at = group_of(delivery), broadcast.created_at.timestamp()
    return Deliver(group, delivery.pk, broadcast.pk, broadcast.wants_receipt, frame, after, committed_at)


def payloads(broadcast_ids: Iterable[int]) -> dict[int, Broadcast]:
    """Return the broadcasts with these ids, by id."""
    return Broadcast.objects.in_bulk(set(broadcast_ids))


def receipts_wanted(broadcast_ids: Iterable[int]) -> list[int]:
    """Return the ids of the broadcasts that want receipts."""
    wanted = Broadcast.objects.filter(pk__in=set(broadcast_ids), wants_receipt=True)
    return list(wanted.values_list("pk", flat=True))


def write_receipts(process: str, sockets: Mapping[int, int]) -> None:
    """Record to how many sockets `process` delivered each broadcast; an existing receipt stays."""
    receipts = [Receipt(broadcast_id=pk, process=process, sockets=count) for pk, count in sockets.items()]
    Receipt.objects.bulk_create(receipts, ignore_conflicts=True)


@transaction.atomic
def redact(
    guard: str,
    *,
    event: str = "",
    containing: str = "",
    keep: Callable[[Any], Any] | None = None,
    versions: Iterable[Audience] = Audience,
) -> int:
    """Delete the broadcasts with a guard from the history, or replace their data by what `keep` returns for it.

    `event` (a prefix) and `containing` (a substring of the data) narrow the rows; `keep` is called for `versions`
    only. What clients have received already stays there. Return the number of rows.
    """
    rows = Broadcast.objects.filter(guard=guard, event__startswith=event)
    rows = rows.filter(Q(staff__contains=containing) | Q(public__contains=containing))
    if keep is None:
        return rows.delete()[1].get("realtime.Broadcast", 0)
    for row in rows:
        for version in versions:
            text = getattr(row, version)
            if text is not None:
                setattr(row, version, protocol.encode(keep(json.loads(text))))
        row.save(update_fields=["public", "staff"])
    return len(rows)


def change_data(rows: QuerySet[Broadcast], change: Callable[[Audience, Any, Any], Any]) -> None:
    """Replace the data of logged events by what `change` returns for a version, its data and that of staff."""
    for row in rows.order_by("pk").iterator(chunk_size=500):
        staff = None if row.staff is None else json.loads(row.staff)
        for version in Audience:
            text = getattr(row, version)
            if text is not None:
                setattr(row, version, protocol.encode(change(version, json.loads(text), staff)))
        row.save(update_fields=["public", "staff"])


def invalidate_history() -> None:
    """Make all cursors so far stale, so that every page reloads instead of replaying earlier events."""
    now = current_snapshot()
    LogRetention.advance_to(now.end, now)


def delete_relayed() -> None:
    """Delete relayed messages that every log tailer has read."""
    Broadcast.objects.filter(event=RELAY_CHANNEL, created_at__lt=_ago(seconds=RELAY_RETENTION)).delete()


def prune(days: int) -> int:
    """Delete broadcasts older than `days` days, record how far, and return their number."""
    old = Broadcast.objects.filter(created_at__lt=_ago(days=days))
    highest = Delivery.objects.filter(broadcast__in=old).aggregate(highest=Max("position"))["highest"]
    if highest is not None:
        LogRetention.advance_to(highest + 1, current_snapshot())
    return old.delete()[1].get(Broadcast._meta.label, 0)


def _ago(**time: float) -> CombinedExpression:
    """Return a moment of the past by the database's clock, which also wrote `created_at`."""
    return Now() - timedelta(**time)
