"""Tables: the event log and its deliveries, webhooks, presence without Redis, expiring values and rate counters."""

import time
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone

from realtime.channels import Audience
from realtime.limits import MAX_WEBHOOK_URL_LENGTH
from realtime.utils.snapshots import Snapshot


class Broadcast(models.Model):
    """A committed event, encoded once per audience; None for an audience that may not receive it."""

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=200)
    public = models.TextField(null=True)
    staff = models.TextField(null=True)
    # The channel that must still authorize the user when the history replays this event.
    guard = models.CharField(max_length=164, blank=True)
    # Events with the same key reach each socket in the order of the log; "" for no order.
    ordering_key = models.CharField(max_length=164, blank=True, default="", db_default="")
    wants_receipt = models.BooleanField(default=False)
    # By the database's clock: the clocks of processes differ.
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["ordering_key", "created_at"], name="broadcast_order", condition=~models.Q(ordering_key="")
            )
        ]

    def __str__(self) -> str:
        """Return the event's name and id."""
        return f"{self.event} {self.event_id}"

    def data(self, version: Audience) -> str:
        """Return the JSON text for `version`. Raises LookupError if there is none."""
        text = self.public if version is Audience.PUBLIC else self.staff
        if text is None:
            raise LookupError(f"{self} has no {version} version.")
        return text


class Delivery(models.Model):
    """A group that receives a broadcast: the subscribers to `channel` with `audience`; they receive `version`."""

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="deliveries")
    # PostgreSQL: the transaction that wrote it. SQLite: the id of the broadcast. See broadcasting/event_log.py.
    position = models.BigIntegerField(db_index=True)
    channel = models.CharField(max_length=164)
    audience = models.CharField(max_length=6, choices=Audience.choices)
    version = models.CharField(max_length=6, choices=Audience.choices)

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["channel", "position"], name="delivery_history")]

    def __str__(self) -> str:
        """Return the broadcast and the group."""
        return f"{self.broadcast_id} to {self.channel} ({self.audience})"


class Receipt(models.Model):
    """The number of sockets to which one server process delivered a broadcast that wants receipts."""

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="receipts")
    process = models.CharField(max_length=200)
    sockets = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["broadcast", "process"], name="one_receipt_a_process")]

    def __str__(self) -> str:
        """Return the process and the number."""
        return f"{self.process}: {self.sockets}"


class WebhookReceiver(models.Model):
    """A webhook URL; a process leases it by moving `due_at`, the time of the next attempt, into the future."""

    url = models.CharField(max_length=MAX_WEBHOOK_URL_LENGTH, unique=True)
    due_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        """Return the host; the path may be a secret."""
        return urlsplit(self.url).netloc

    def waiting_events(self) -> "models.QuerySet[WebhookEvent]":
        """Return the events to send, oldest first."""
        return self.events.filter(failed_delivery="").order_by("pk")


class WebhookEvent(models.Model):
    """An event, as JSON, that is not delivered to a receiver yet."""

    receiver = models.ForeignKey(WebhookReceiver, models.CASCADE, related_name="events")
    payload = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    # The delivery that gave up, whose retry sends it; "" while it waits. See webhooks/delivery.py.
    failed_delivery = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["receiver", "failed_delivery", "id"], name="waiting_webhook_events")]

    def __str__(self) -> str:
        """Return the event's and the receiver's keys."""
        return f"{self.pk} to {self.receiver_id}"


class LogRetention(models.Model):
    """The position below which the event log was pruned, and the snapshot of that moment; at most one row."""

    position = models.BigIntegerField()
    snapshot = models.TextField(db_default="")

    class Meta:
        db_table = "realtime_logfloor"

    def __str__(self) -> str:
        """Return the position."""
        return str(self.position)

    @classmethod
    def oldest_position(cls) -> int:
        """Return the lowest position from which the log is complete."""
        return cls.objects.values_list("position", flat=True).first() or 0

    @classmethod
    def covers(cls, seen: Snapshot, now: Snapshot) -> bool:
        """Return whether the log has everything that the snapshot `seen` did not see.

        It has, if the snapshot was taken after the last pruning, or begins above what was pruned. A stored position
        beyond `now` was restored from another cluster and does not count.
        """
        kept = cls.objects.first()
        if kept is None or seen.start >= kept.position or kept.position > now.end:
            return True
        return bool(kept.snapshot) and not seen.is_before(Snapshot.decode(kept.snapshot))

    @classmethod
    def advance_to(cls, position: int, now: Snapshot) -> None:
        """Record that nothing below `position` is kept; all of it is seen by the snapshot `now`."""
        position = max(position, cls.oldest_position())
        cls.objects.update_or_create(pk=1, defaults={"position": position, "snapshot": now.encode()})


class ServerProcess(models.Model):
    """A process with sockets, in the presence store without Redis; its entries count until its lease expires."""

    name = models.CharField(max_length=200, primary_key=True)
    expires_at = models.DateTimeField()
    report = models.JSONField(null=True)
    sockets = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "server processes"

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class PresenceEntry(models.Model):
    """The number of a process's sockets that are subscribed to a channel, for one member on a presence channel."""

    process = models.ForeignKey(ServerProcess, models.CASCADE, related_name="entries")
    channel = models.CharField(max_length=200, db_index=True)
    member = models.CharField(max_length=128, blank=True)
    sockets = models.PositiveIntegerField()
    shown = models.TextField(blank=True)  # the member's id and info as JSON

    class Meta:
        db_table = "realtime_occupant"
        constraints = [models.UniqueConstraint(fields=["process", "channel", "member"], name="one_seat_a_member")]
        verbose_name_plural = "presence entries"

    def __str__(self) -> str:
        """Return the channel and the member's id."""
        return f"{self.channel} {self.member}".strip()


class ExpiringValue(models.Model):
    """A value that all processes share for a limited time; see broadcasting/expiring_values.py."""

    key = models.CharField(max_length=300, primary_key=True)
    value = models.JSONField(default=dict)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "realtime_keepsake"

    def __str__(self) -> str:
        """Return the key."""
        return self.key


class RateCounter(models.Model):
    """The number of rate-limited actions in the current window of a key, without Redis: utils/rate_limits.py."""

    key = models.CharField(max_length=300, primary_key=True)
    hits = models.BigIntegerField()
    expires_at = models.FloatField(db_index=True)  # seconds since 1970

    class Meta:
        db_table = "realtime_hitcount"

    def __str__(self) -> str:
        """Return the key."""
        return self.key

    @classmethod
    def delete_expired(cls) -> None:
        """Delete the counters of past windows."""
        cls.objects.filter(expires_at__lte=time.time()).delete()


class CurrentTransaction(models.Func):
    """PostgreSQL's 64-bit id of the running transaction."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class SnapshotEnd(models.Func):
    """The 64-bit transaction id above which nothing can be visible yet on PostgreSQL."""

    template = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()


def database_time() -> datetime:
    """Return the time by the database's clock, which processes on several machines share."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


def position_of(broadcast: Broadcast) -> Any:
    """Return the position that the deliveries of `broadcast` store."""
    return CurrentTransaction() if connection.vendor == "postgresql" else broadcast.pk
