"""Messages that providers post are stored as they came, or asked for again."""

import base64
import hashlib
import hmac
import json

import pytest
from django.db import DatabaseError
from django.test import Client
from django.test.client import encode_multipart

from mail.inbound import storage
from mail.models import ReceivedMessage
from tests.mail.inbound.writing import MAILBOX, write
from tests.support.jobs import run_due_jobs

pytestmark = pytest.mark.django_db
SECRET, KEY = "0123456789abcdef", "key-0123456789abcdef"
LATIN = write("Gr\xfc\xdfe\r\nCasey").replace("Gr\xfc\xdfe".encode(), b"Gr\xfc\xdfe").replace(b"\n", b"\r\n")


@pytest.fixture(autouse=True)
def _providers(settings, mailbox):
    settings.ANYMAIL = {"WEBHOOK_SECRET": f"tikm:{SECRET}", "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}


def post(provider, body, content_type="application/json", *, password=SECRET, mailbox=MAILBOX, end="/"):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    credentials = base64.b64encode(f"tikm:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "User-Agent": "provider"}
    address = f"/mails/received/{provider}/{mailbox}{end}"
    return client.post(address, body, content_type=content_type, headers=headers)


def mailgun(raw, *, key=KEY, **options):
    """Post what a route with forward() posts."""
    stamp, token = "1764489600", "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    fields = {
        "recipient": MAILBOX, "sender": "casey@example.com", "from": "Casey Rivers <casey@example.com>",
        "subject": "Printer", "X-Mailgun-Incoming": "Yes", "timestamp": stamp, "token": token, "signature": signature,
    }  # fmt: skip
    body = encode_multipart("xYzZY", {**fields, **({"body-mime": "RAW"} if raw else {})})
    return post("mailgun", body.replace(b"RAW", raw), "multipart/form-data; boundary=xYzZY", end="/mime", **options)


def postmark(raw, **options):
    payload = {
        "FromName": "Casey Rivers", "From": "casey@example.com", "To": MAILBOX, "OriginalRecipient": MAILBOX,
        "Subject": "Printer", "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b", "TextBody": "Their reading",
        "Headers": [{"Name": "X-Spam-Status", "Value": "No"}], "Attachments": [],
    }  # fmt: skip
    return post("postmark", json.dumps(payload | ({"RawEmail": raw.decode()} if raw else {})), **options)


def sparkpost(*raws, **options):
    events = [
        {"msys": {"relay_message": {
            "rcpt_to": MAILBOX, "friendly_from": "casey@example.com", "webhook_id": "4839201967643219",
            "content": {"email_rfc822": base64.b64encode(raw).decode(), "email_rfc822_is_base64": True},
        }}}
        for raw in raws
    ]  # fmt: skip
    return post("sparkpost", json.dumps(events), **options)


@pytest.mark.parametrize(("send", "raw"), [(mailgun, LATIN), (postmark, write("Hello")), (sparkpost, LATIN)])
def test_message_is_stored_as_it_came_and_becomes_a_ticket(send, raw):
    answer = send(raw)
    assert (answer.status_code, answer.text) == (200, "Stored.")
    message = ReceivedMessage.objects.get()
    assert (bytes(message.raw), message.state) == (raw, "received")
    assert send(raw).status_code == 200  # the provider did not see the answer
    run_due_jobs()
    message = ReceivedMessage.objects.get()
    assert (message.copies, message.state, message.identity) == (2, "processed", "verified")
    assert message.ticket.creator.email == "casey@example.com"


def test_several_messages_of_a_request_are_stored(settings):
    settings.MAIL_MAX_BYTES = 2000
    answer = sparkpost(
        write("One"), write("x" * 2000, message_id="<2@example.com>"), write("Three", message_id="<3@x>")
    )
    assert answer.status_code == 403
    assert ReceivedMessage.objects.count() == 2


@pytest.mark.parametrize("send", [mailgun, postmark, sparkpost])
def test_request_without_the_secret_is_refused(send):
    assert send(write(), password="guessed").status_code == 400
    assert not ReceivedMessage.objects.exists()


def test_mailgun_has_to_sign():
    assert mailgun(write(), key="another-0123456789").status_code == 400
    assert not ReceivedMessage.objects.exists()


@pytest.mark.parametrize("send", [mailgun, postmark, sparkpost])
def test_database_that_is_away_has_the_provider_try_again(send, monkeypatch):
    def fail(*_arguments):
        raise DatabaseError

    with monkeypatch.context() as patched:
        patched.setattr(storage, "_create", fail)
        assert send(write()).status_code == 503
    assert send(write()).status_code == 200


@pytest.mark.parametrize(("send", "final"), [(mailgun, 406), (postmark, 403), (sparkpost, 403)])
def test_what_can_never_be_stored_is_refused_for_good(send, final, settings):
    assert send(write(), mailbox="nothing@desk.example.com").status_code == final
    settings.MAIL_MAX_BYTES = 1024
    for length in (1500, 200_000):
        answer = send(write("x" * length))
        assert (answer.status_code, "MAIL_MAX_BYTES (1024)" in answer.text) == (final, True)
    assert not ReceivedMessage.objects.exists()


def test_message_larger_than_a_form_may_be_is_stored():
    raw = write("x" * 4_000_000)
    for send in (mailgun, postmark, sparkpost):
        assert send(raw).status_code == 200
    assert ReceivedMessage.objects.get().copies == 3


@pytest.mark.parametrize(
    ("send", "hint"), [(mailgun, "/mime"), (postmark, "Include raw email content"), (sparkpost, "relay")]
)
def test_provider_that_posts_no_raw_message_is_asked_again(send, hint):
    answer = post("sparkpost", '[{"msys": {"message_event": {}}}]') if send is sparkpost else send(b"")
    assert (answer.status_code, hint in answer.text) == (503, True)
    assert post("postmark", "no JSON").status_code == 503


def test_addresses_do_not_exist_without_their_secret(settings):
    assert post("sendgrid", "{}").status_code == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": f"tikm:{SECRET}", "MAILGUN_WEBHOOK_SIGNING_KEY": ""}
    assert mailgun(write()).status_code == 404
    settings.ANYMAIL = {"WEBHOOK_SECRET": "", "MAILGUN_WEBHOOK_SIGNING_KEY": KEY}
    assert [send(write()).status_code for send in (mailgun, postmark, sparkpost)] == [404] * 3
