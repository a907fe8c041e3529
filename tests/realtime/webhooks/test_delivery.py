"""Webhook delivery: signed, in batches, in order, and retried until a response."""

import asyncio
import json
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as configured
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pusher import Pusher

from realtime.models import WebhookEvent, WebhookReceiver
from realtime.webhooks import config, delivery, safe_http
from tests.support.webhook_receiver import ReceiverServer

pytestmark = pytest.mark.django_db
SECRET = configured.REALTIME["APP_SECRETS"][0]
OCCUPIED = {"name": "channel_occupied", "channel": "presence-room"}
ADDED = {"name": "member_added", "channel": "presence-room", "user_id": "7"}
REMOVED = {"name": "member_removed", "channel": "presence-room", "user_id": "7"}
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\n\r\n"


@pytest.fixture
def configure(settings, monkeypatch):
    """Configure webhooks, sent without the batch window."""
    monkeypatch.setattr(delivery, "BATCH_WINDOW", timedelta(0))

    def configure(*receivers):
        urls = [receiver.url if isinstance(receiver, ReceiverServer) else receiver for receiver in receivers]
        networks = ["127.0.0.1/32"]
        settings.REALTIME = {**settings.REALTIME, "WEBHOOKS": urls, "WEBHOOK_NETWORKS": networks}

    return configure


@database_sync_to_async
def enqueue(*events):
    delivery.enqueue(list(events))


@database_sync_to_async
def seconds_pass(seconds):
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
    return WebhookEvent.objects.count()


def read(post):
    """Return the content as Pusher's library validates it; None if the signature or time is invalid."""
    pusher = Pusher(app_id="1", key="tikm", secret=SECRET, host="127.0.0.1")
    return pusher.validate_webhook(post.headers["x-pusher-key"], post.headers["x-pusher-signature"], post.body)


async def test_events_of_one_second_share_a_batch(configure, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH_WINDOW", timedelta(seconds=1))
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(OCCUPIED, ADDED)
        await enqueue(REMOVED)
        assert not await delivery.deliver_batch(receiver.url)
        assert not receiver.got
        await seconds_pass(1)
        assert await delivery.deliver_batch(receiver.url)
        assert not await delivery.deliver_batch(receiver.url)
    (post,) = receiver.got
    assert read(post)["events"] == [OCCUPIED, ADDED, REMOVED]
    assert post.headers["content-type"] == "application/json"
    assert json.loads(post.body).keys() == {"time_ms", "events"}
    assert await waiting() == 0


async def test_nothing_is_stored_without_webhooks(configure):
    await enqueue(ADDED)
    assert await waiting() == 0
    await delivery.deliver_forever()
    configure("https://a.example/hook")
    await enqueue(ADDED)
    assert await waiting() == 1


async def test_each_receiver_gets_only_its_signed_events(configure):
    async with ReceiverServer() as everything, ReceiverServer() as arrivals, ReceiverServer() as departures:
        configure(
            everything, (arrivals.url, ["member_added", "channel_occupied"]), (departures.url, ["member_removed"])
        )
        await enqueue(OCCUPIED, ADDED)
        for receiver in (everything, arrivals):
            assert await delivery.deliver_batch(receiver.url)
        assert not await delivery.deliver_batch(departures.url)
        await enqueue(ADDED, REMOVED)
        for receiver in (everything, arrivals, departures):
            assert await delivery.deliver_batch(receiver.url)
    received = [[read(post)["events"] for post in receiver.got] for receiver in (everything, arrivals, departures)]
    assert received == [[[OCCUPIED, ADDED], [ADDED, REMOVED]], [[OCCUPIED, ADDED], [ADDED]], [[REMOVED]]]


async def test_rolled_back_event_is_not_sent(configure):
    @database_sync_to_async
    def enqueue_and_roll_back():
        with transaction.atomic():
            delivery.enqueue([ADDED])
            transaction.set_rollback(True)

    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue_and_roll_back()
        await enqueue(OCCUPIED)
        assert await delivery.deliver_batch(receiver.url)
    assert [read(post)["events"] for post in receiver.got] == [[OCCUPIED]]


async def test_failed_receiver_is_retried_with_backoff_and_in_order(configure, monkeypatch):
    clock = iter(range(1, 100))
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
            assert not await delivery.deliver_batch(receiver.url)
            assert await pause() == seconds
            # Not due before that.
            assert not await delivery.deliver_batch(receiver.url)
            await seconds_pass(seconds)
        assert len(receiver.got) == 8
        receiver.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        await enqueue(REMOVED)
        monkeypatch.setattr("time.time_ns", lambda: next(clock) * 1_000_000_000)
        assert await delivery.deliver_batch(receiver.url)
        await enqueue(OCCUPIED)
        assert await delivery.deliver_batch(receiver.url)
        assert await database_sync_to_async(lambda: WebhookReceiver.objects.get().failures)() == 0
    bodies = [json.loads(post.body) for post in receiver.got]
    assert [body["events"] for body in bodies] == [[ADDED]] * 8 + [[ADDED, REMOVED], [OCCUPIED]]
    assert [body["time_ms"] for body in bodies[8:]] == [1000, 2000]


async def test_each_attempt_has_its_own_time_and_signature(configure):
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        await delivery.deliver_batch(receiver.url)
        await seconds_pass(2)
        receiver.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        assert await delivery.deliver_batch(receiver.url)
    first, second = receiver.got
    assert read(first)["events"] == read(second)["events"] == [ADDED]
    assert read(first)["time_ms"] < read(second)["time_ms"]
    assert first.headers["x-pusher-signature"] != second.headers["x-pusher-signature"]


async def test_expired_events_are_dropped_and_logged(configure, caplog):
    async with ReceiverServer(answer=BROKEN) as receiver:
        configure(receiver)
        await enqueue(ADDED, OCCUPIED)
        assert not await delivery.deliver_batch(receiver.url)
        await seconds_pass(301)
        assert not await delivery.deliver_batch(receiver.url)
        assert await waiting() == 0
        assert f"webhook events dropped receiver=127.0.0.1:{receiver.port} events=2" in caplog.text
        receiver.answer = b"HTTP/1.1 200 OK\r\n\r\n"
        await enqueue(REMOVED)
        assert await delivery.deliver_batch(receiver.url)
    assert [read(post)["events"] for post in receiver.got] == [[ADDED, OCCUPIED], [REMOVED]]


async def test_log_omits_the_url_path(configure, caplog):
    async with ReceiverServer(answer=BROKEN) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/token-of-ours?key=ours"
        configure(url)
        await enqueue(ADDED)
        assert not await delivery.deliver_batch(url)
    expected = f"webhook failed receiver=127.0.0.1:{receiver.port} error='HTTP 500'; retrying in 1 s"
    assert expected in caplog.text
    assert "ours" not in caplog.text


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "400 Bad Request", "429 Too Many", "503 Away"])
async def test_only_2xx_is_success(configure, status):
    async with ReceiverServer(answer=f"HTTP/1.1 {status}\r\nLocation: /elsewhere\r\n\r\n".encode()) as receiver:
        configure(receiver)
        await enqueue(ADDED)
        assert not await delivery.deliver_batch(receiver.url)
    assert (len(receiver.got), await waiting()) == (1, 1)


async def test_loopback_receiver_needs_allowed_network(configure, settings, caplog):
    async with ReceiverServer() as receiver:
        configure(receiver)
        settings.REALTIME = {**settings.REALTIME, "WEBHOOK_NETWORKS": []}
        await enqueue(ADDED)
        assert not await delivery.deliver_batch(receiver.url)
        assert "127.0.0.1 resolves to 127.0.0.1, which is not public" in caplog.text
        assert not receiver.got
        configure(receiver)
        await seconds_pass(2)
        assert await delivery.deliver_batch(receiver.url)
        assert len(receiver.got) == 1


async def test_one_process_sends_to_a_receiver_at_a_time(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        receiver.may_answer.clear()
        await enqueue(ADDED)
        sending = asyncio.ensure_future(delivery.deliver_batch(receiver.url))
        await receiver.next()
        assert not await delivery.deliver_batch(receiver.url)
        receiver.may_answer.set()
        assert await sending
    assert len(receiver.got) == 1


async def test_batch_of_killed_process_is_sent_by_another(configure):
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(ADDED)
        abandoned = await database_sync_to_async(delivery._claim)(receiver.url)
        assert [json.loads(event.payload) for event in abandoned.events] == [ADDED]
        assert not await delivery.deliver_batch(receiver.url)
        await seconds_pass(31)
        assert await delivery.deliver_batch(receiver.url)
        # If that process continues after all, it changes nothing.
        await enqueue(REMOVED)
        await database_sync_to_async(abandoned.postpone)()
        assert await delivery.deliver_batch(receiver.url)
    assert [read(post)["events"] for post in receiver.got] == [[ADDED], [REMOVED]]


async def test_many_events_are_sent_in_several_batches(configure, monkeypatch):
    monkeypatch.setattr(delivery, "MAX_BATCH", 2)
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(OCCUPIED, ADDED, REMOVED)
        assert [await delivery.deliver_batch(receiver.url) for _ in range(3)] == [True, True, False]
    assert [read(post)["events"] for post in receiver.got] == [[OCCUPIED, ADDED], [REMOVED]]


async def test_hanging_receiver_does_not_delay_others(configure, monkeypatch):
    monkeypatch.setattr(delivery, "POLL_INTERVAL", 0.01)
    async with ReceiverServer() as hanging, ReceiverServer() as prompt:
        configure(hanging, prompt)
        hanging.may_answer.clear()
        running = asyncio.ensure_future(delivery.deliver_forever())
        for event in (ADDED, REMOVED):
            await enqueue(event)
            assert read(await prompt.next())["events"] == [event]
        assert read(await hanging.next())["events"] == [ADDED]
        assert len(hanging.got) == 1
        hanging.may_answer.set()
        assert read(await hanging.next())["events"] == [REMOVED]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_delivery_continues_after_database_failure(configure, monkeypatch, caplog):
    monkeypatch.setattr(delivery, "POLL_INTERVAL", 0.01)
    take, away = delivery._claim, iter([OSError("away")])

    def take_or_fail(url):
        for error in away:
            raise error
        return take(url)

    monkeypatch.setattr(delivery, "_claim", take_or_fail)
    async with ReceiverServer() as receiver:
        configure(receiver)
        await enqueue(ADDED)
        running = asyncio.ensure_future(delivery.deliver_forever())
        assert read(await receiver.next())["events"] == [ADDED]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "webhook delivery failed" in caplog.text


async def test_first_secret_signs(configure, settings):
    async with ReceiverServer() as receiver:
        configure(receiver)
        settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": ["new", SECRET]}
        await enqueue(ADDED)
        assert await delivery.deliver_batch(receiver.url)
        settings.REALTIME = {**settings.REALTIME, "APP_SECRETS": [SECRET]}
        await enqueue(REMOVED)
        assert await delivery.deliver_batch(receiver.url)
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
        delivery.enqueue([ADDED])
