"""Several jobs deliver to one webhook at once, on PostgreSQL: one of them sends each batch."""

import json

import pytest
from django.utils import timezone

from jobs.models import Job
from realtime.models import WebhookEvent, WebhookReceiver
from realtime.webhooks import delivery, outbox
from tests.integration.servers.database.concurrent_transactions import open_transaction, run_concurrently

URL = "https://a.example/hook"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hook(settings):
    settings.REALTIME = {**settings.REALTIME, "WEBHOOKS": [URL]}


def claim():
    """Claim the next batch."""
    return delivery.claim(WebhookReceiver.objects.get())


def make_due():
    WebhookReceiver.objects.update(due_at=timezone.now())


def added(number):
    return {"name": "member_added", "channel": "presence-room", "user_id": str(number)}


def test_one_of_eight_processes_claims_the_batch():
    for turn in range(5):
        outbox.enqueue([added(turn)])
        taken = []
        run_concurrently([lambda taken=taken: taken.append(claim())] * 8)
        (batch,) = [batch for batch in taken if batch]
        assert [json.loads(event.payload) for event in batch.events] == [added(turn)]
        batch.complete()
        make_due()
    assert not WebhookEvent.objects.exists()


def test_events_of_eight_processes_are_sent_once():
    run_concurrently([lambda number=number: outbox.enqueue([added(number)]) for number in range(8)])
    assert 1 <= Job.objects.count() <= 8
    batch = claim()
    assert sorted(json.loads(event.payload)["user_id"] for event in batch.events) == list("01234567")
    # Later and uncommitted events are neither deleted with the batch nor delayed by it.
    with open_transaction(outbox.enqueue, [added(8)]):
        outbox.enqueue([added(9)])
        batch.complete()
        make_due()
        assert [json.loads(event.payload) for event in claim().events] == [added(9)]
    assert WebhookEvent.objects.count() == 2
