"""The event log on PostgreSQL: readers miss no event of overlapping transactions."""

import json
from functools import partial

import pytest
from django.db.models import Max
from django.test import Client

from realtime.broadcasting import event_log, history
from realtime.models import Broadcast, Delivery
from realtime.utils.snapshots import Snapshot
from tests.integration.servers.database.concurrent_transactions import open_transaction
from tickets import services


class HistoryReader:
    """Bao's page: asks the history of Billing, from the cursor of its last answer."""

    def __init__(self, cast):
        self.client, self.channel = Client(), cast.billing.channel
        self.client.force_login(cast.bao)
        self.cursor = self._ask()["cursor"]
        self.seen = set()

    def read(self):
        answer = self._ask(since=self.cursor)
        assert not answer["reset"]
        self.cursor = answer["cursor"]
        self.seen |= {event["data"]["reply"]["message"] for event in answer["events"]}

    def _ask(self, **since):
        return self.client.get("/broadcasting/history", {"channel": self.channel, **since}).json()


class TailReader:
    """The log tailer of a server process: it reads the log from its last snapshot."""

    def __init__(self, cast):
        self.snapshot = event_log.current_snapshot()
        self.seen = set()

    def read(self):
        self.snapshot, rows = event_log.read_since(self.snapshot)
        broadcasts = event_log.payloads(row.broadcast_id for row in rows)
        replies = [json.loads(row.staff)["reply"] for row in broadcasts.values()]
        self.seen |= {reply["message"] for reply in replies if "message" in reply}  # not those of notifications


class Readers:
    """At each step, start a reader that reads at every later step, and one that reads at the end only."""

    def __init__(self, kind, cast):
        self.begin = partial(kind, cast)
        self.constant, self.patient = [], []

    def moment(self):
        for reader in self.constant:
            reader.read()
        self.constant.append(self.begin())
        self.patient.append(self.begin())

    def end(self):
        for reader in self.constant + self.patient:
            reader.read()


def overlap(kind, cast):
    """Have a transaction that began to publish earlier commit after one that published later."""
    readers = Readers(kind, cast)
    other = services.open_ticket(by=cast.greta, subject="Refund", content="Where is it?", office=cast.billing)
    readers.moment()
    with open_transaction(cast.reply, cast.bao, "early"):
        readers.moment()
        with open_transaction(services.add_reply, other, by=cast.dana, message="late"):
            readers.moment()
        readers.moment()
        assert [reader.seen for reader in readers.constant] == [{"late"}, {"late"}, {"late"}, set()]
    readers.end()
    events = Broadcast.objects.filter(event="ticket.reply.created").order_by("pk")
    assert [json.loads(event.staff)["reply"]["message"] for event in events] == ["early", "late"]
    return readers


@pytest.mark.parametrize("kind", [HistoryReader, TailReader])
def test_reader_misses_no_event_of_overlapping_transactions(live_cast, kind):
    readers = overlap(kind, live_cast)
    for some in (readers.constant, readers.patient):
        assert [reader.seen for reader in some[:3]] == [{"early", "late"}] * 3
        assert "early" in some[3].seen


@pytest.mark.parametrize("kind", [HistoryReader, TailReader])
@pytest.mark.parametrize("number", ["pk", "deliveries__position"], ids=["id", "transaction"])
def test_cursor_at_the_highest_number_seen_would_have_a_hole(live_cast, kind, number, monkeypatch):
    def highest_seen():
        return Snapshot((Broadcast.objects.aggregate(highest=Max(number))["highest"] or 0) + 1)

    def from_id(end, running=()):
        return Delivery.objects.filter(broadcast__gte=end).order_by("broadcast_id", "pk")

    monkeypatch.setattr(event_log, "current_snapshot", highest_seen)
    if number == "pk":
        monkeypatch.setattr(event_log, "deliveries_since", from_id)
        # Earlier tests compiled the history's query with the real one.
        monkeypatch.setattr(history._deliveries_to, "_compiled", {})
    readers = overlap(kind, live_cast)
    assert [reader.seen for reader in readers.constant] == [{"late"}, {"late"}, {"late"}, set()]
