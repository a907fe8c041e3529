"""The log: every event that was committed, and to whom it goes."""

import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone

from realtime.channels import Audience
from realtime.limits import MAX_WEBHOOK_URL_LENGTH


class Broadcast(models.Model):
    """One event, encoded once per audience; None where that audience may not hear it."""

    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(max_length=200)
    public = models.TextField(null=True)
    staff = models.TextField(null=True)
    # The channel whose rule is asked again before this is told a second time, from the history.
    guard = models.CharField(max_length=164, blank=True)
    wants_receipt = models.BooleanField(default=False)
    # By the database's clock: those of the processes may be apart.
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_index=True)

    def __str__(self) -> str:
        """Name the event and its id."""
        return f"{self.event} {self.event_id}"

    def data(self, version: Audience) -> str:
        """Return the JSON text that `version` hears."""
        text = self.public if version is Audience.PUBLIC else self.staff
        if text is None:
            raise LookupError(f"{self} has no {version} version.")
        return text


class Delivery(models.Model):
    """One group that hears a broadcast: the listeners of `channel` who joined it as `audience`."""

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
        """Name the broadcast and the group."""
        return f"{self.broadcast_id} to {self.channel} ({self.audience})"


class Receipt(models.Model):
    """How many sockets one server process told of a broadcast that asked for receipts."""

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="receipts")
    process = models.CharField(max_length=200)
    sockets = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["broadcast", "process"], name="one_receipt_a_process")]

    def __str__(self) -> str:
        """Say who told how many."""
        return f"{self.process}: {self.sockets}"


class WebhookReceiver(models.Model):
    """An address that webhooks go to, and when it is tried next; whoever moves `due_at` has it for that long."""

    url = models.CharField(max_length=MAX_WEBHOOK_URL_LENGTH, unique=True)
    due_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        """Name the server; the path may be a secret."""
        return urlsplit(self.url).netloc


class WebhookEvent(models.Model):
    """One event that a receiver has not been told yet, as JSON."""

    receiver = models.ForeignKey(WebhookReceiver, models.CASCADE, related_name="events")
    payload = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        """Say which and to whom."""
        return f"{self.pk} to {self.receiver_id}"


class LogFloor(models.Model):
    """The position below which the log was trimmed: one row at the most."""

    position = models.BigIntegerField()

    def __str__(self) -> str:
        """Give the position."""
        return str(self.position)

    @classmethod
    def current(cls) -> int:
        """Return the lowest position from which the log is whole."""
        return cls.objects.values_list("position", flat=True).first() or 0

    @classmethod
    def reaches_back_to(cls, position: int, mark: int) -> bool:
        """Say whether the log is whole from `position` on; a floor above the watermark is another cluster's."""
        floor = cls.current()
        return floor <= position or floor > mark

    @classmethod
    def raise_to(cls, position: int) -> None:
        """Remember that nothing below `position` is kept."""
        cls.objects.update_or_create(pk=1, defaults={"position": max(position, cls.current())})


class ServerProcess(models.Model):
    """A process with sockets, in the census without Redis: what it wrote counts until its lease runs out."""

    name = models.CharField(max_length=200, primary_key=True)
    expires_at = models.DateTimeField()
    report = models.JSONField(null=True)
    sockets = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "server processes"

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Occupant(models.Model):
    """A seat on a channel: how many sockets of a process have it, and how its member is shown to others."""

    process = models.ForeignKey(ServerProcess, models.CASCADE, related_name="occupants")
    channel = models.CharField(max_length=200, db_index=True)
    member = models.CharField(max_length=128, blank=True)
    sockets = models.PositiveIntegerField()
    shown = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["process", "channel", "member"], name="one_seat_a_member")]

    def __str__(self) -> str:
        """Name the channel, and who is on it."""
        return f"{self.channel} {self.member}".strip()


class Keepsake(models.Model):
    """Something that is remembered for a while: a signature that was used, the last event of a cache channel."""

    key = models.CharField(max_length=300, primary_key=True)
    value = models.JSONField(default=dict)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        """Return the key."""
        return self.key


class HitCount(models.Model):
    """How often somebody has done something since a window of time began, for a desk without Redis."""

    key = models.CharField(max_length=300, primary_key=True)
    hits = models.BigIntegerField()
    expires_at = models.FloatField(db_index=True)  # seconds since 1970

    def __str__(self) -> str:
        """Return the key."""
        return self.key

    @classmethod
    def hit(cls, key: str, *, seconds: int, cost: int) -> int:
        """Count in one statement, so that of two at once both count; return the hits of the window that runs."""
        now = time.time()
        table = connection.ops.quote_name(cls._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(HIT.format(table=table), [key, cost, now + seconds, now, now])
            return int(cursor.fetchone()[0])

    @classmethod
    def forget_old(cls) -> None:
        """Delete what counts no more."""
        cls.objects.filter(expires_at__lte=time.time()).delete()


HIT = """
INSERT INTO {table} AS old (key, hits, expires_at) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
  hits = CASE WHEN old.expires_at <= %s THEN excluded.hits ELSE old.hits + excluded.hits END,
  expires_at = CASE WHEN old.expires_at <= %s THEN excluded.expires_at ELSE old.expires_at END
RETURNING hits
"""


class CurrentTransaction(models.Func):
    """PostgreSQL's 64-bit id of the running transaction."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class SnapshotEnd(models.Func):
    """The 64-bit transaction id above which nothing can be visible yet on PostgreSQL."""

    template = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
    output_field = models.BigIntegerField()


def position_of(broadcast: Broadcast) -> Any:
    """Return what the deliveries of `broadcast` store as their position."""
    return CurrentTransaction() if connection.vendor == "postgresql" else broadcast.pk
