"""Several server processes poll webhooks at once, on PostgreSQL: one of them sends each batch."""

import json
from datetime import timedelta

import pytest

from realtime.models import WebhookEvent
from realtime.webhooks import delivery
from tests.integration.servers.database.concurrent_transactions import open_transaction, run_concurrently

URL = "https://a.example/hook"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _hook(settings, monkeypatch):
    settings.REALTIME = {**settings.REALTIME, "WEBHOOKS": [URL]}
    monkeypatch.setattr(delivery, "BATCH_WINDOW", timedelta(0))


def added(number):
    return {"name": "member_added", "channel": "presence-room", "user_id": str(number)}


def test_one_of_eight_processes_claims_the_batch():
    for turn in range(5):
        delivery.enqueue([added(turn)])
        taken = []
        run_concurrently([lambda taken=taken: taken.append(delivery._claim(URL))] * 8)
        (batch,) = [batch for batch in taken if batch]
        assert [json.loads(event.payload) for event in batch.events] == [added(turn)]
        batch.complete()
    assert not WebhookEvent.objects.exists()


def test_events_of_eight_processes_are_sent_once():
    run_concurrently([lambda number=number: delivery.enqueue([added(number)]) for number in range(8)])
    batch = delivery._claim(URL)
    assert sorted(json.loads(event.payload)["user_id"] for event in batch.events) == list("01234567")
    # Later and uncommitted events are neither deleted with the batch nor delayed by it.
    with open_transaction(delivery.enqueue, [added(8)]):
        delivery.enqueue([added(9)])
        batch.complete()
        assert [json.loads(event.payload) for event in delivery._claim(URL).events] == [added(9)]
    assert WebhookEvent.objects.count() == 2
