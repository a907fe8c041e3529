"""Webhooks: programs outside are told who comes and goes, signed, in batches, in order, until they have answered.

What is to be told waits in the database, and goes out about a second later with whatever else has come by then. Each
server process looks; which of them sends is settled by moving the receiver's `due_at`, which succeeds for one alone.
An address that does not answer with 2xx is tried again after 1, 2, 4 ... seconds, at most a minute; what is five
minutes old is dropped. A process that ends between the answer and its own note of it has the batch sent again.
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
from realtime.webhooks import safe_http
from realtime.webhooks.config import Webhook, network, parse_webhook

logger = logging.getLogger(__name__)

GATHER: Final = timedelta(seconds=1)  # what comes within this goes out together
LEASE: Final = timedelta(seconds=30)  # longer than a POST and its notes in the database can take
GIVE_UP: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = 60  # seconds between two tries
LOOK_EVERY: Final = 0.5  # seconds
MAX_BATCH: Final = 100  # events


@dataclass(frozen=True)
class Batch:
    """What one process sends to one receiver, and until when it is alone in this."""

    receiver: WebhookReceiver
    events: list[WebhookEvent]
    lease: datetime

    def body(self) -> bytes:
        """Return the body; receivers refuse one whose time is five minutes off, so each try has its own."""
        events = ",".join(event.payload for event in self.events)
        return f'{{"time_ms":{time.time_ns() // 1_000_000},"events":[{events}]}}'.encode()

    @transaction.atomic
    def forget(self) -> None:
        """Note that it was taken."""
        self.receiver.events.filter(pk__in=[event.pk for event in self.events]).delete()
        self.let_go(failures=0, due_at=timezone.now())

    def put_off(self) -> int:
        """Note that it was not taken; return the seconds until the next try."""
        failures = self.receiver.failures + 1
        pause = min(1 << min(failures - 1, 10), LONGEST_PAUSE)
        self.let_go(failures=failures, due_at=timezone.now() + timedelta(seconds=pause))
        return pause

    def let_go(self, **changes: Any) -> None:
        """Leave the receiver to whoever looks next; who was away for longer than the lease has no say any more."""
        WebhookReceiver.objects.filter(pk=self.receiver.pk, due_at=self.lease).update(**changes)


def hooks() -> list[Webhook]:
    """Return the webhooks of the project, each address once."""
    wanted: dict[str, frozenset[str]] = {}
    for each in map(parse_webhook, config().webhooks):
        wanted[each.url] = wanted.get(each.url, frozenset()) | each.events
    return [Webhook(url, names) for url, names in wanted.items()]


def enqueue(events: list[dict[str, Any]]) -> None:
    """Have every webhook told those of the events that it wants, if the running transaction commits.

    An event is Pusher's: {"name": "member_added", "channel": "presence-x", "user_id": "7"}.
    """
    for each in hooks():
        payloads = [protocol.encode(event) for event in events if event["name"] in each.events]
        if payloads:
            _keep(each.url, payloads)


@transaction.atomic
def _keep(url: str, payloads: list[str]) -> None:
    receiver, _ = WebhookReceiver.objects.get_or_create(url=url)
    WebhookEvent.objects.bulk_create(WebhookEvent(receiver=receiver, payload=text) for text in payloads)


async def deliver_forever() -> None:
    """Send what is due, each receiver at its own pace; without webhooks there is nothing to do."""
    await asyncio.gather(*(_serve(each.url) for each in hooks()))


async def deliver(url: str) -> bool:
    """Send one batch that is due to `url`, and say whether it was taken."""
    batch = await database_sync_to_async(_take)(url)
    if batch is None:
        return False
    problem = await _send(batch)
    if not problem:
        await database_sync_to_async(batch.forget)()
        return True
    pause = await database_sync_to_async(batch.put_off)()
    logger.warning("A webhook of %s was not taken (%s); it is tried again in %d s.", batch.receiver, problem, pause)
    return False


async def _serve(url: str) -> None:
    while True:
        try:
            while await deliver(url):
                pass
        except Exception:
            logger.exception("Webhooks could not be read; they will be.")
        await asyncio.sleep(LOOK_EVERY)


async def _send(batch: Batch) -> str:
    """POST the batch; return what went wrong, or nothing."""
    settings, body = config(), batch.body()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "realtime-webhooks",
        "X-Pusher-Key": settings.app_key,
        "X-Pusher-Signature": protocol.signature(settings.app_secrets[0], body.decode()),
    }
    networks = [network(text) for text in settings.webhook_networks]
    try:
        status = await safe_http.post(batch.receiver.url, body, headers, networks=networks)
    except safe_http.NotSent as error:
        return str(error)
    return "" if 200 <= status < 300 else f"it answered {status}"


def _take(url: str) -> Batch | None:
    """Return what is due to `url`, or None if nothing is, or another process has it."""
    now = timezone.now()
    waiting = WebhookEvent.objects.filter(receiver__url=url, receiver__due_at__lte=now, created_at__lte=now - GATHER)
    first = waiting.select_related("receiver").order_by("pk").first()
    if first is None:
        return None
    receiver, lease = first.receiver, now + LEASE
    if not WebhookReceiver.objects.filter(pk=receiver.pk, due_at=receiver.due_at).update(due_at=lease):
        return None
    _drop_old(receiver, now - GIVE_UP)
    batch = Batch(receiver, list(receiver.events.order_by("pk")[:MAX_BATCH]), lease)
    if batch.events:
        return batch
    batch.let_go(due_at=now)
    return None


def _drop_old(receiver: WebhookReceiver, limit: datetime) -> None:
    dropped, _ = receiver.events.filter(created_at__lt=limit).delete()
    if dropped:
        logger.error("%d events for the webhook of %s were dropped: it took none for too long.", dropped, receiver)
