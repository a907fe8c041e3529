"""Push messages: encrypted for one browser, sent only while no page has shown the notification."""

import json
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import User
from jobs.models import Job
from realtime.utils.networks import parse_network
from tests.support.cast import Cast
from tests.support.jobs import run_all_jobs
from tests.support.servers.push_service import ADDRESS, BROKEN, CREATED, GONE, PushService
from tickets import services
from tickets.models import Notification, PushKey, PushSubscription
from tickets.notifications import preferences, records
from tickets.notifications.push import keys, sending

pytestmark = pytest.mark.django_db


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    monkeypatch.setattr(sending, "NETWORKS", [parse_network("127.0.0.0/8")])
    with PushService() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_before(cast: Cast) -> None:
    Notification.objects.all().delete()


def browser_of(user: User, service: PushService) -> Client:
    """Sign in, and subscribe with an address on loopback, which the form would refuse."""
    client = Client()
    client.force_login(user)
    assert client.post("/notifications/push/", {"endpoint": f"{ADDRESS}1", **service.keys.values}).status_code == 204
    PushSubscription.objects.update(endpoint=service.url)
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
    assert client.post("/notifications/push/", {"endpoint": endpoint, **service.keys.values}).status_code == 422
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
