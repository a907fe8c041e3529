"""Push messages: encrypted for one browser, sent only while no page has shown the notification."""

import asyncio
import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from jobs.models import Job
from realtime.utils.networks import parse_network
from tests.support.cast import Cast
from tests.support.jobs import run_all_jobs
from tests.support.servers.webhook_receiver import ReceiverServer
from tickets import services
from tickets.models import Notification, PushKey, PushSubscription
from tickets.notifications import preferences, records
from tickets.notifications.push import keys, sending

pytestmark = pytest.mark.django_db
CREATED, GONE, BROKEN = (f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode() for status in (201, 410, 500))


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class PushService:
    """A push service on loopback, with the browsers that receive from it."""

    answer: bytes = CREATED
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"
    server: Any = None

    @property
    def received(self) -> list[dict[str, str]]:
        """The messages, as the browser reads them."""
        return [json.loads(self.decrypted(request.body)) for request in self.server.got]

    def decrypted(self, body: bytes) -> bytes:
        plain: bytes = http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        return plain

    @property
    def values(self) -> dict[str, str]:
        form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return {"p256dh": encoded(self.key.public_key().public_bytes(*form)), "auth": encoded(self.auth)}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """Run the push service in a thread of its own: jobs send from this one."""
    found, loop, ready = PushService(), asyncio.new_event_loop(), threading.Event()
    monkeypatch.setattr(sending, "NETWORKS", [parse_network("127.0.0.0/8")])

    async def serve() -> None:
        async with ReceiverServer() as server:
            found.server = server
            ready.set()
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(5)
    yield found
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    loop.close()


@pytest.fixture(autouse=True)
def nothing_before(cast: Cast) -> None:
    Notification.objects.all().delete()


def browser_of(user: User, service: PushService) -> Client:
    """Sign in, and subscribe with an address on loopback, which the form would refuse."""
    client = Client()
    client.force_login(user)
    address = "https://push.example.com/1"
    assert client.post("/notifications/push/", {"endpoint": address, **service.values}).status_code == 204
    PushSubscription.objects.update(endpoint=f"http://127.0.0.1:{service.server.port}/1")
    return client


def push(service: PushService, answer: bytes = CREATED) -> list[dict[str, str]]:
    service.server.answer = answer
    run_all_jobs()
    run_all_jobs()
    return service.received


def test_message_is_encrypted_for_the_browser_and_has_no_text(cast, service):
    browser_of(cast.bao, service)
    reply = cast.reply(cast.casey, "kryptonite")
    [message] = push(service)
    assert message["title"] == "Casey Rivers replied to “Charged twice”"
    assert message["url"] == f"/tickets/{cast.ticket.uuid}/#reply-{reply.pk}"
    [request] = service.server.got
    assert b"Casey" not in request.body
    assert "kryptonite" not in json.dumps(message)
    assert request.headers["authorization"].startswith("vapid t=")
    assert f"k={keys.public_key()}" in request.headers["authorization"]


def seen(cast, client):
    records.mark_read(cast.bao)


def shown(cast, client):
    assert client.post("/notifications/push/shown/", {"ticket": str(cast.ticket.uuid)}).status_code == 204


def signed_out(cast, client):
    client.post("/logout/")


def revoked(cast, client):
    Session.objects.all().delete()


def deactivated(cast, client):
    User.objects.filter(pk=cast.bao.pk).update(is_active=False)


def moved(cast, client):
    services.update_ticket(cast.ticket, by=cast.ada, values={"office": cast.orders})


def turned_off(cast, client):
    preferences.set_preference(
        cast.bao, preferences.NotificationKind.CUSTOMER_REPLY, in_app=True, desktop=False, sound=True
    )


@pytest.mark.parametrize("change", [seen, shown, signed_out, revoked, deactivated, moved, turned_off])
def test_nothing_is_sent_after(cast, service, change):
    client = browser_of(cast.bao, service)
    cast.reply(cast.casey, "Hello?")
    assert Job.objects.filter(task__endswith="push_notice").count() == 1
    change(cast, client)
    assert push(service) == []


def test_hidden_reply_is_not_sent_to_the_customer(cast, service):
    browser_of(cast.casey, service)
    services.change_visibility(cast.reply(cast.bao, "Oops"), by=cast.bao, internal=True)
    cast.reply(cast.bao, "A note", internal=True)
    cast.reply(cast.bao, "An answer")
    assert [message["title"] for message in push(service)] == ["Bao Nguyen replied to “Charged twice”"]


def test_browser_that_is_gone_is_removed_and_a_failure_is_tried_again(cast, service):
    browser_of(cast.bao, service)
    cast.reply(cast.casey, "Hello?")
    push(service, BROKEN)
    assert PushSubscription.objects.count() == 1
    push(service, GONE)
    assert PushSubscription.objects.count() == 0


def test_private_addresses_receive_nothing(cast, service, monkeypatch):
    browser_of(cast.bao, service)
    monkeypatch.setattr(sending, "NETWORKS", ())
    cast.reply(cast.casey, "Hello?")
    assert push(service) == []
    assert "not public" in Job.objects.get(task__endswith="push_message").error


@pytest.mark.parametrize(
    "endpoint", ["http://push.example.com/1", "https://push.example.com:8443/1", "https://a@push.example.com/1", "x"]
)
def test_address_that_is_no_push_service_is_refused(cast, service, endpoint):
    client = Client()
    client.force_login(cast.bao)
    assert client.post("/notifications/push/", {"endpoint": endpoint, **service.values}).status_code == 422
    assert not PushSubscription.objects.exists()


def test_key_is_made_once_and_stored_encrypted(cast, settings):
    first = keys.public_key()
    assert keys.public_key() == first
    assert "PRIVATE KEY" not in PushKey.objects.get().sealed
    settings.SECRET_KEY = "another-secret-key-of-a-new-installation"
    assert keys.public_key() != first


def test_service_worker_is_at_the_root(client):
    answer = client.get("/sw.js")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/javascript")
