"""Webhook delivery: signed, in batches, in order, and retried until a response."""

import asyncio
import json
from datetime import timedelta
from functools import partial

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import transaction
from django.db.models import F
from django.test import TestCase
from django.utils import timezone
from pusher import Pusher

from realtime.models import WebhookEvent, WebhookReceiver
from realtime.webhooks import config, delivery, outbox, safe_http
from realtime.webhooks.delivery import DeliveryFailed, EventsExpired
from tests.support.servers.webhook_receiver import ReceiverServer

pytestmark = pytest.mark.django_db
SECRET = configured.REALTIME["APP_SECRETS"][0]
OCCUPIED = {"name": "channel_occupied", "channel": "presence-room"}
ADDED = {"name": "member_added", "channel": "presence-room", "user_id": "7"}
REMOVED = {"name": "member_removed", "channel": "presence-room", "user_id": "7"}
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\n\r\n"
scheduled = []


def schedule(receiver_id, run_at):
    """Record for when a delivery is wanted."""
    scheduled.append((receiver_id, run_at))


@pytest.fixture(autouse=True)
def _nothing_scheduled():
    scheduled.clear()


@pytest.fixture
def configure(settings):
    def configure(*receivers):
        urls = [receiver.url if isinstance(receiver, ReceiverServer) else receiver for receiver in receivers]
        webhooks = {"WEBHOOKS": urls, "WEBHOOK_NETWORKS": ["127.0.0.1/32"], "WEBHOOK_QUEUE": f"{__name__}.schedule"}
        settings.REALTIME = {**settings.REALTIME, **webhooks}

    return configure


@database_sync_to_async
def enqueue(*events):
    """Store events; their transaction commits."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        outbox.enqueue(list(events))


async def deliver(receiver, **options):
    """Deliver as a job does that is due; return whether it may end."""
    return await database_sync_to_async(_deliver)(receiver, options)


def _deliver(receiver, options):
    try:
        delivery.deliver(WebhookReceiver.objects.get(url=getattr(receiver, "url", receiver)).pk, **options)
    except DeliveryFailed:
        return False
    return True


@database_sync_to_async
def seconds_pass(seconds=1):
    """Age all events and retries by some seconds."""
    ago = timedelta(seconds=seconds)
    WebhookEvent.objects.update(created_at=F("created_at") - ago)
    WebhookReceiver.objects.update(due_at=F("due_at") - ago)


@database_sync_to_async
def pause():
    """Return the seconds until the next attempt."""
    return round((WebhookReceiver.objects.get().due_at - timezone.now()).total_seconds())


@database_sync_to_async
def waiting():
    return WebhookEvent.objects.filter(failed_delivery="").count()


def events_of(receiver):
    return [read(post)["events"] for post in receiver.got]


def read(post):
    """Return the content as Pusher's library validates it; None if the signature or time is invalid."""
    pusher = Pusher(app_id="1", key="tikm", secret=SECRET, host="127.0.0.1")
    return pusher.validate_webhook(post.headers["x-pusher-key"], post.headers["x-pusher-signature"], post.body)


async def test_first_event_is_sent_at_once_and_those_of_the_next_second_share_a_batch(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(OCCUPIED)
        assert scheduled[0][1] <= timezone.now()
        assert await deliver(receiver)
        await enqueue(ADDED)
        await enqueue(REMOVED)
        assert await deliver(receiver)
        assert len(receiver.got) == 1
        await seconds_pass()
        assert await deliver(receiver)
        assert await deliver(receiver)
    assert events_of(receiver) == [[OCCUPIED], [ADDED, REMOVED]]
    assert all(timedelta(0) < run_at - timezone.now() < timedelta(seconds=1) for _, run_at in scheduled[1:])
    assert receiver.got[0].headers["content-type"] == "application/json"
    assert json.loads(receiver.got[0].body).keys() == {"time_ms", "events"}
    assert await waiting() == 0


async def test_nothing_is_stored_without_webhooks(configure):
    await enqueue(ADDED)
    assert await waiting() == 0
    configure("https://a.example/hook")
    await enqueue(ADDED)
    assert await waiting() == 1


async def test_each_receiver_gets_only_its_signed_events(configure):
    async with ReceiverServer() as everything, ReceiverServer() as arrivals, ReceiverServer() as departures:
        configure(
            everything, (arrivals.url, ["member_added", "channel_occupied"]), (departures.url, ["member_removed"])
        )
        await enqueue(OCCUPIED, ADDED)
        assert len(scheduled) == 2
        for receiver in (everything, arrivals):
            assert await deliver(receiver)
        await seconds_pass()
        await enqueue(ADDED, REMOVED)
        for receiver in (everything, arrivals, departures):
            assert await deliver(receiver)
    received = [events_of(receiver) for receiver in (everything, arrivals, departures)]
    assert received == [[[OCCUPIED, ADDED], [ADDED, REMOVED]], [[OCCUPIED, ADDED], [ADDED]], [[REMOVED]]]


async def test_rolled_back_event_is_not_sent(configure):
    @database_sync_to_async
    def enqueue_and_roll_back():
        with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
            outbox.enqueue([ADDED])
            transaction.set_rollback(True)

    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue_and_roll_back()
        assert not scheduled
        await enqueue(OCCUPIED)
        assert await deliver(receiver)
    assert events_of(receiver) == [[OCCUPIED]]


async def test_failed_receiver_is_retried_with_backoff_and_in_order(configure, monkeypatch):
    clock = iter(range(1, 100))
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        for attempt, seconds in enumerate((1, 2, 4, 8, 16, 32, 60, 60), 1):
            assert not await deliver(receiver, attempt=attempt)
            assert await pause() == seconds
            # Not due before that: another job of these events ends.
            assert await deliver(receiver)
            await seconds_pass(seconds)
        assert len(receiver.got) == 8
        receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        await enqueue(REMOVED)
        monkeypatch.setattr("time.time_ns", lambda: next(clock) * 1_000_000_000)
        assert await deliver(receiver)
        await seconds_pass()
        await enqueue(OCCUPIED)
        assert await deliver(receiver)
    bodies = [json.loads(post.body) for post in receiver.got]
    assert [body["events"] for body in bodies] == [[ADDED]] * 8 + [[ADDED, REMOVED], [OCCUPIED]]
    assert [body["time_ms"] for body in bodies[8:]] == [1000, 2000]


async def test_each_attempt_has_its_own_time_and_signature(configure):
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        await deliver(receiver)
        await seconds_pass(2)
        receiver.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        assert await deliver(receiver)
    first, second = receiver.got
    assert read(first)["events"] == read(second)["events"] == [ADDED]
    assert read(first)["time_ms"] < read(second)["time_ms"]
    assert first.headers["x-pusher-signature"] != second.headers["x-pusher-signature"]


async def test_expired_events_wait_for_the_retry_of_their_delivery(configure):
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED, OCCUPIED)
        assert not await deliver(receiver, delivery_id="7")
        await seconds_pass(301)
        await enqueue(REMOVED)
        scheduled.clear()
        with pytest.raises(EventsExpired, match=rf"127.0.0.1:{receiver.port}: HTTP 500; not delivered: 2 events"):
            await deliver(receiver, delivery_id="7", attempt=9)
        assert len(scheduled) == 1
        receiver.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        await seconds_pass(60)
        assert await deliver(receiver, delivery_id="8")
        await seconds_pass()
        assert await deliver(receiver, delivery_id="8")
        assert await deliver(receiver, delivery_id="7")
    assert events_of(receiver) == [[ADDED, OCCUPIED], [ADDED, OCCUPIED, REMOVED], [REMOVED], [ADDED, OCCUPIED]]


async def test_undelivered_events_are_deleted_after_three_days(configure):
    def age(days, failed_delivery):
        event = WebhookEvent.objects.create(receiver=receiver, payload="{}", failed_delivery=failed_delivery)
        WebhookEvent.objects.filter(pk=event.pk).update(created_at=timezone.now() - timedelta(days=days))

    receiver = await database_sync_to_async(WebhookReceiver.objects.create)(url="https://a.example/hook")
    for days, failed_delivery in ((2, "7"), (4, "7"), (4, "")):
        await database_sync_to_async(age)(days, failed_delivery)
    await database_sync_to_async(call_command)("prune_broadcasts", verbosity=0)
    assert await database_sync_to_async(WebhookEvent.objects.count)() == 2


async def test_events_of_a_removed_webhook_are_deleted(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(ADDED)
        configure()
        assert await deliver(receiver)
        assert (receiver.got, await waiting()) == ([], 0)


async def test_delivery_that_was_never_scheduled_is_after_a_minute(configure):
    configure("https://a.example/hook")
    await enqueue(ADDED)
    scheduled.clear()
    for seconds in (30, 31):
        assert not scheduled
        await seconds_pass(seconds)
        await database_sync_to_async(outbox.schedule_overdue)()
    assert len(scheduled) == 1


async def test_failure_names_no_url_path(configure):
    async with ReceiverServer(answer=BROKEN) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/token-of-ours?key=ours"
        configure(url)
        await enqueue(ADDED)
        pk = (await database_sync_to_async(WebhookReceiver.objects.get)()).pk
        with pytest.raises(DeliveryFailed) as raised:
            await database_sync_to_async(delivery.deliver)(pk)
    assert str(raised.value) == f"127.0.0.1:{receiver.port}: HTTP 500"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "400 Bad Request", "429 Too Many", "503 Away"])
async def test_only_2xx_is_success(configure, status):
    async with ReceiverServer(answer=f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n\r\n".encode()) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        assert not await deliver(receiver)
    assert (len(receiver.got), await waiting()) == (1, 1)


async def test_loopback_receiver_needs_allowed_network(configure, settings):
    async with ReceiverServer() as receiver:
        configure(receiver)
        settings.REALTIME = {**settings.REALTIME, "WEBHOOK_NETWORKS": []}
        await enqueue(ADDED)
        pk = (await database_sync_to_async(WebhookReceiver.objects.get)()).pk
        with pytest.raises(DeliveryFailed, match=r"127.0.0.1 resolves to 127.0.0.1, which is not public"):
            await database_sync_to_async(delivery.deliver)(pk)
        assert not receiver.got
        configure(receiver)
        await seconds_pass(2)
        assert await deliver(receiver)
        assert len(receiver.got) == 1


async def test_one_process_sends_to_a_receiver_at_a_time(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        receiver.may_answer.clear()
        await enqueue(ADDED)
        batch = await database_sync_to_async(lambda: delivery.claim(WebhookReceiver.objects.get()))()
        sending = asyncio.ensure_future(delivery._post(batch))
        await receiver.next()
        scheduled.clear()
        assert await deliver(receiver)
        assert len(scheduled) == 1
        receiver.may_answer.set()
        assert await sending == ""
    assert len(receiver.got) == 1


async def test_batch_of_killed_process_is_sent_by_another(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(ADDED)
        abandoned = await database_sync_to_async(lambda: delivery.claim(WebhookReceiver.objects.get()))()
        assert [json.loads(event.payload) for event in abandoned.events] == [ADDED]
        assert await deliver(receiver)
        assert not receiver.got
        await seconds_pass(31)
        assert await deliver(receiver)
        # If that process continues after all, it changes nothing.
        await enqueue(REMOVED)
        await database_sync_to_async(partial(abandoned.release, pause=timedelta(hours=1)))()
        await seconds_pass()
        assert await deliver(receiver)
    assert events_of(receiver) == [[ADDED], [REMOVED]]


async def test_many_events_are_sent_in_several_batches(configure, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_BATCH", 2)
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(OCCUPIED, ADDED, REMOVED)
        assert await deliver(receiver)
        assert len(scheduled) == 2
        await seconds_pass()
        assert await deliver(receiver)
        assert len(scheduled) == 2
    assert events_of(receiver) == [[OCCUPIED, ADDED], [REMOVED]]


async def test_first_secret_signs(configure, settings):
    async with ReceiverServer() as receiver:
        configure(receiver)
        settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": ["new", SECRET]}
        await enqueue(ADDED)
        assert await deliver(receiver)
        await seconds_pass()
        settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": [SECRET]}
        await enqueue(REMOVED)
        assert await deliver(receiver)
    assert [read(post) is not None for post in receiver.got] == [False, True]


def test_lease_outlasts_a_post():
    assert delivery.LEASE.total_seconds() > safe_http.TIMEOUT * 2


def test_webhooks_with_the_same_url_are_merged(configure):
    url = "https://a.example/hook"
    configure((url, ["member_added"]), (url, ["member_removed", "member_added"]), "https://b.example/")
    assert config.webhooks() == [
        config.Webhook(url, frozenset({"member_added", "member_removed"})),
        config.Webhook("https://b.example/", frozenset(config.EVENTS)),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "hook",
        "//a.example/hook",
        "ftp://a.example/hook",
        "https:///hook",
        "https://a.example:port/",
        "https://a.example:99999/",
        "https://a.example:0/",
        "https://a.example/ hook",
        "https://a.example/\r\nX-Evil: 1",
        "https://ü.example/",
        "https://[::1/",
        "https://a.example/" + "x" * 500,
        "https://me:secret@a.example/",
        "https://a.example/#part",
        ("https://a.example/", ["member_left"]),
        ("https://a.example/", ["member_added"], "more"),
        (7, ["member_added"]),
        7,
    ],
)
def test_invalid_webhook_is_described(value):
    with pytest.raises(ImproperlyConfigured, match=r"\w+.*\.$") as error:
        config.parse_webhook(value)
    assert "secret" not in str(error.value)


def test_no_queries_without_webhooks(django_assert_num_queries):
    with django_assert_num_queries(0):
        outbox.enqueue([ADDED])
