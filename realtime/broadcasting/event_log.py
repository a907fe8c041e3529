"""Reads the log without holes, though transactions commit out of their order.

Ids alone have holes: a row may commit after one with a higher id was read. On PostgreSQL a delivery therefore
stores the 64-bit id of its transaction, and the watermark is the oldest transaction still running
(`pg_snapshot_xmin`): every row below it is committed and visible, or was rolled back. On SQLite there is one writer,
and the next id serves. Read the watermark first, then the rows at or above the previous one: nothing falls between.
"""

import json
from collections.abc import Callable, Iterable, Sequence
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

CARRIED = 60  # seconds that rows are kept which only carry a message to the other processes
RECENT = 30  # seconds in which a revocation is asked for by every later event; the tail has long told it by then
WATERMARK = {
    "postgresql": "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
    "sqlite": "SELECT COALESCE(MAX(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'realtime_broadcast'",
}


def watermark() -> int:
    """Return the position below which every row is committed and visible, or will never be."""
    with connection.cursor() as cursor:
        cursor.execute(WATERMARK[connection.vendor])
        return int(cursor.fetchone()[0])


def since(position: int) -> QuerySet[Delivery]:
    """Return the deliveries at or above `position`, in the order of the log."""
    rows = Delivery.objects.filter(position__gte=position).order_by("broadcast_id", "pk")
    # What lies beyond the present was restored from another cluster, whose transactions had other ids.
    return rows.filter(position__lt=SnapshotEnd()) if connection.vendor == "postgresql" else rows


def unread(position: int) -> tuple[int, list[Delivery]]:
    """Return the new watermark and the deliveries since the old one, without their payloads."""
    mark = watermark()
    return mark, list(since(position).only("broadcast_id", "position", "channel", "audience", "version"))


def last_told(most: int) -> tuple[int, dict[str, int]]:
    """Return where the last `most` deliveries begin, or the log, and the position of the last one of each group.

    The groups are those of the channel layer, in the order of these positions.
    """
    before = since(0).order_by("-position").values_list("position", flat=True)[most : most + 1].first()
    floor = max(LogRetention.oldest_position(), 0 if before is None else before + 1)
    told = since(floor).order_by().values("channel", "audience").annotate(last=Max("position")).order_by("last")
    return floor, {group_name(row["channel"], Audience(row["audience"])): row["last"] for row in told}


def recent_rechecks() -> list[int]:
    """Return the ids of the deliveries of revocations that were written in the last half minute."""
    rechecks = Delivery.objects.filter(channel=REAUTHORIZE_CHANNEL, broadcast__created_at__gte=_ago(seconds=RECENT))
    return list(rechecks.values_list("pk", flat=True))


def group_of(delivery: Delivery) -> str:
    """Return the channel layer's group that receives the delivery."""
    return group_name(delivery.channel, Audience(delivery.audience))


def layer_message(delivery: Delivery, broadcast: Broadcast, after: Sequence[int] = ()) -> Deliver:
    """Return what the channel layer carries; the deliveries `after` must be applied first."""
    data, event_id = broadcast.data(Audience(delivery.version)), str(broadcast.event_id)
    frame = protocol.frame(broadcast.event, channel=delivery.channel, data=data, event_id=event_id)
    return Deliver(group_of(delivery), delivery.pk, broadcast.pk, broadcast.wants_receipt, frame, after)


def payloads(broadcast_ids: Iterable[int]) -> dict[int, Broadcast]:
    """Return the broadcasts with these ids, by id."""
    return Broadcast.objects.in_bulk(set(broadcast_ids))


def receipts_wanted(broadcast_ids: Iterable[int]) -> list[int]:
    """Return those of the ids whose broadcasts asked for receipts."""
    wanted = Broadcast.objects.filter(pk__in=set(broadcast_ids), wants_receipt=True)
    return list(wanted.values_list("pk", flat=True))


def acknowledge(process: str, told: dict[int, int]) -> None:
    """Write how many sockets `process` told of each broadcast; a second word on one is ignored."""
    receipts = [Receipt(broadcast_id=pk, process=process, sockets=count) for pk, count in told.items()]
    Receipt.objects.bulk_create(receipts, ignore_conflicts=True)


@transaction.atomic
def forget(
    guard: str,
    *,
    event: str = "",
    containing: str = "",
    keep: Callable[[Any], Any] | None = None,
    versions: Iterable[Audience] = Audience,
) -> int:
    """Take back what was told behind a guard: the rows are deleted, or left with what `keep` makes of their data.

    Without `event` and `containing`, everything behind it; `keep` is asked about `versions` alone. Whoever has heard
    it has heard it; the history tells it no more. Returns the number of rows.
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


def close_past() -> None:
    """Have the history tell nobody what was told so far, by names that are no longer told: pages renew themselves."""
    LogRetention.advance_to(watermark())


def forget_carried() -> None:
    """Delete what only carried a message to the other processes, and has."""
    Broadcast.objects.filter(event=RELAY_CHANNEL, created_at__lt=_ago(seconds=CARRIED)).delete()


def prune(days: int) -> int:
    """Delete what is older than `days` days, remember how far, and return the number of broadcasts deleted."""
    old = Broadcast.objects.filter(created_at__lt=_ago(days=days))
    highest = Delivery.objects.filter(broadcast__in=old).aggregate(highest=Max("position"))["highest"]
    if highest is not None:
        LogRetention.advance_to(highest + 1)
    return old.delete()[1].get(Broadcast._meta.label, 0)


def _ago(**time: float) -> CombinedExpression:
    """Return a moment of the past, by the database's clock, which has written when each row came."""
    return Now() - timedelta(**time)
