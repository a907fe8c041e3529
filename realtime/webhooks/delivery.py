"""Deliver webhook events: signed, in batches, in order per receiver, and at least once (Pusher: "Webhooks").

A job of the project's queue calls `deliver`, which sends one POST. A receiver is leased meanwhile, so that two jobs
do not send to it at once. Without a 2xx response the events stay, and the job runs again after `RETRY_DELAYS`. If a
process dies after the response and before the events are deleted, they are sent again.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from realtime import protocol
from realtime.conf import config
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.utils.networks import parse_network
from realtime.webhooks import safe_http
from realtime.webhooks.config import webhooks
from realtime.webhooks.outbox import BATCH_WINDOW, schedule

LEASE: Final = timedelta(seconds=30)  # longer than a POST and the database writes after it take
MAX_AGE: Final = timedelta(minutes=5)  # older events are not tried again
KEPT: Final = timedelta(days=3)  # for which events that were not delivered wait for `deliver` with the same id
# More of them than MAX_AGE allows.
RETRY_DELAYS: Final = tuple(timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 16, 32, *[60] * 6))
MAX_BATCH: Final = 100  # events


class DeliveryFailed(Exception):
    """The receiver did not respond with 2xx; the events stay, and the next of RETRY_DELAYS has begun."""


class EventsExpired(Exception):
    """Events are older than MAX_AGE: they are sent only if `deliver` is called with the same id within KEPT."""


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
        self.release(pause=BATCH_WINDOW)

    def release(self, *, pause: timedelta) -> None:
        """Give up the lease; does nothing if it has expired and another process has taken the receiver."""
        leased = WebhookReceiver.objects.filter(pk=self.receiver.pk, due_at=self.lease)
        leased.update(due_at=timezone.now() + pause)


def deliver(receiver_id: int, *, delivery_id: str = "", attempt: int = 1) -> None:
    """Send the next events of a receiver. Raises DeliveryFailed, EventsExpired.

    `delivery_id` names a job, which calls this again after DeliveryFailed, with the number of its attempt.
    """
    receiver = WebhookReceiver.objects.filter(pk=receiver_id).first()
    if receiver is None or receiver.url not in {webhook.url for webhook in webhooks()}:
        WebhookEvent.objects.filter(receiver=receiver).delete()
        return
    if delivery_id:
        receiver.events.filter(failed_delivery=delivery_id).update(failed_delivery="", created_at=timezone.now())
    if not receiver.waiting_events().exists():
        return
    if (batch := claim(receiver)) is not None:
        _send(batch, delivery_id, attempt)
    if receiver.waiting_events().exists():
        receiver.refresh_from_db(fields=["due_at"])
        schedule(receiver)


def claim(receiver: WebhookReceiver) -> Batch | None:
    """Lease the receiver; None if another process has the lease, or if the next POST is not due yet."""
    now = timezone.now()
    lease = now + LEASE
    if not WebhookReceiver.objects.filter(pk=receiver.pk, due_at__lte=now).update(due_at=lease):
        return None
    return Batch(receiver, list(receiver.waiting_events()[:MAX_BATCH]), lease)


def _send(batch: Batch, delivery_id: str, attempt: int) -> None:
    error = asyncio.run(_post(batch)) if batch.events else ""
    if not error:
        batch.complete()
        return
    delay = RETRY_DELAYS[min(attempt, len(RETRY_DELAYS)) - 1]
    batch.release(pause=delay)
    if expired := _set_aside_expired(batch.receiver, delivery_id):
        if batch.receiver.waiting_events().exists():
            schedule(batch.receiver, run_at=timezone.now() + delay)
        raise EventsExpired(f"{batch.receiver}: {error}; not delivered: {expired} events")
    raise DeliveryFailed(f"{batch.receiver}: {error}")


def _set_aside_expired(receiver: WebhookReceiver, delivery_id: str) -> int:
    """Keep the events that were tried for MAX_AGE for a retry of this delivery; return how many."""
    expired = receiver.waiting_events().filter(created_at__lt=timezone.now() - MAX_AGE)
    return expired.update(failed_delivery=delivery_id or str(timezone.now()))


def delete_undelivered() -> None:
    """Delete the events that were set aside KEPT ago."""
    set_aside = WebhookEvent.objects.exclude(failed_delivery="")
    set_aside.filter(created_at__lt=timezone.now() - KEPT).delete()


async def _post(batch: Batch) -> str:
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
