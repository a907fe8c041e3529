"""Deliver webhook events: signed, in batches, in order per receiver, and at least once (Pusher: "Webhooks").

Events wait in the database for about a second, so that one POST carries several. Every server process polls; the
one that moves the receiver's `due_at` sends the batch. A receiver that does not answer 2xx is retried after 1, 2,
4 ... at most 60 seconds; events older than five minutes are dropped. If a process dies after the receiver's answer
and before the batch is deleted, another process sends the batch again.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from realtime import protocol
from realtime.conf import config
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.utils.networks import parse_network
from realtime.webhooks import safe_http
from realtime.webhooks.config import webhooks

logger = logging.getLogger(__name__)

BATCH_WINDOW: Final = timedelta(seconds=1)  # events younger than this wait for others
LEASE: Final = timedelta(seconds=30)  # longer than a POST and the database writes after it take
MAX_AGE: Final = timedelta(minutes=5)  # older events are dropped
MAX_RETRY_DELAY: Final = 60  # seconds
POLL_INTERVAL: Final = 0.5  # seconds
MAX_BATCH: Final = 100  # events


@dataclass(frozen=True)
class Batch:
    """Events for one receiver that this process may send until its lease ends."""

    receiver: WebhookReceiver
    events: list[WebhookEvent]
    lease: datetime

    def body(self) -> bytes:
        """Return the request body with the current time: receivers refuse a time more than five minutes off."""
        events = ",".join(event.payload for event in self.events)
        return f'{{"time_ms":{time.time_ns() // 1_000_000},"events":[{events}]}}'.encode()

    @transaction.atomic
    def complete(self) -> None:
        """Delete the delivered events."""
        self.receiver.events.filter(pk__in=[event.pk for event in self.events]).delete()
        self.release(failures=0, due_at=timezone.now())

    def postpone(self) -> int:
        """Schedule a retry; return the seconds until then."""
        failures = self.receiver.failures + 1
        delay = min(1 << min(failures - 1, 10), MAX_RETRY_DELAY)
        self.release(failures=failures, due_at=timezone.now() + timedelta(seconds=delay))
        return delay

    def release(self, **changes: Any) -> None:
        """Give up the lease; does nothing if it has expired and another process has taken the receiver."""
        WebhookReceiver.objects.filter(pk=self.receiver.pk, due_at=self.lease).update(**changes)


def enqueue(events: list[dict[str, Any]]) -> None:
    """Store events for the webhooks that receive them; they are sent if the running transaction commits.

    An event has Pusher's form: {"name": "member_added", "channel": "presence-x", "user_id": "7"}.
    """
    for webhook in webhooks():
        payloads = [protocol.encode(event) for event in events if event["name"] in webhook.events]
        if payloads:
            _store(webhook.url, payloads)


@transaction.atomic
def _store(url: str, payloads: list[str]) -> None:
    receiver, _ = WebhookReceiver.objects.get_or_create(url=url)
    WebhookEvent.objects.bulk_create(WebhookEvent(receiver=receiver, payload=text) for text in payloads)


async def deliver_forever() -> None:
    """Deliver to all webhooks, each independently of the others; return at once if none is configured."""
    await asyncio.gather(*(_poll(webhook.url) for webhook in webhooks()))


async def deliver_batch(url: str) -> bool:
    """Send the next batch that is due to `url`; return whether one was delivered."""
    batch = await database_sync_to_async(_claim)(url)
    if batch is None:
        return False
    error = await _send(batch)
    if not error:
        await database_sync_to_async(batch.complete)()
        return True
    delay = await database_sync_to_async(batch.postpone)()
    logger.warning("webhook failed receiver=%s error=%r; retrying in %d s", batch.receiver, error, delay)
    return False


async def _poll(url: str) -> None:
    while True:
        try:
            while await deliver_batch(url):
                pass
        except Exception:
            logger.exception("webhook delivery failed; retrying in %s s", POLL_INTERVAL)
        await asyncio.sleep(POLL_INTERVAL)


async def _send(batch: Batch) -> str:
    """POST the batch; return an error, or "" on success."""
    settings, body = config(), batch.body()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "realtime-webhooks",
        "X-Pusher-Key": settings.app_key,
        "X-Pusher-Signature": protocol.signature(settings.app_secrets[0], body.decode()),
    }
    networks = [parse_network(text) for text in settings.webhook_networks]
    try:
        status = await safe_http.post(batch.receiver.url, body, headers, networks=networks)
    except safe_http.RequestFailed as error:
        return str(error)
    return "" if 200 <= status < 300 else f"HTTP {status}"


def _claim(url: str) -> Batch | None:
    """Lease the receiver if events are due; None if none are, or if another process has the lease."""
    now = timezone.now()
    ready = WebhookEvent.objects.filter(
        receiver__url=url, receiver__due_at__lte=now, created_at__lte=now - BATCH_WINDOW
    )
    first = ready.select_related("receiver").order_by("pk").first()
    if first is None:
        return None
    receiver, lease = first.receiver, now + LEASE
    if not WebhookReceiver.objects.filter(pk=receiver.pk, due_at=receiver.due_at).update(due_at=lease):
        return None
    _drop_expired(receiver, now - MAX_AGE)
    batch = Batch(receiver, list(receiver.events.order_by("pk")[:MAX_BATCH]), lease)
    if batch.events:
        return batch
    batch.release(due_at=now)
    return None


def _drop_expired(receiver: WebhookReceiver, oldest: datetime) -> None:
    dropped, _ = receiver.events.filter(created_at__lt=oldest).delete()
    if dropped:
        logger.error("webhook events dropped receiver=%s events=%d; older than %s", receiver, dropped, MAX_AGE)
