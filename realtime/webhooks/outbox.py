"""Store webhook events until they are delivered, and ask the project's job queue for a delivery.

The row is written in the transaction that causes the event; the queue is asked after its commit. If the process dies
in between, `schedule_overdue` asks again.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from django.utils.module_loading import import_string

from realtime import protocol
from realtime.conf import config
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.webhooks.config import webhooks

BATCH_WINDOW: Final = timedelta(seconds=1)  # between two POSTs to a receiver; events wait for each other meanwhile
OVERDUE: Final = timedelta(minutes=1)


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
    transaction.on_commit(lambda: schedule(receiver), robust=True)


def schedule(receiver: WebhookReceiver, *, run_at: datetime | None = None) -> None:
    """Ask the project's queue for a delivery: by default as soon as the receiver may get the next POST.

    `due_at` may be a lease, which usually ends long before its time: a delivery that comes too early asks again.
    """
    now = timezone.now()
    soonest = min(max(now, receiver.due_at), now + BATCH_WINDOW)
    import_string(config().webhook_queue)(receiver.pk, run_at or soonest)


def schedule_overdue() -> None:
    """Ask again for the deliveries of events that wait for long; a job queue calls this every few minutes."""
    waiting = WebhookReceiver.objects.filter(events__failed_delivery="")
    overdue = waiting.annotate(oldest=Min("events__created_at")).filter(oldest__lt=timezone.now() - OVERDUE)
    for receiver in overdue:
        schedule(receiver)
