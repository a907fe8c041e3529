"""Test pusher-js on public, cache and encrypted channels."""

import base64
import hashlib
import json

from tests.integration.clients.all_channel_types_settings import REALTIME

MISS, COUNT, SUCCEEDED = "pusher:cache_miss", "pusher:subscription_count", "pusher:subscription_succeeded"
VAULT = "private-encrypted-vault"


def subscribe_to(client, channel):
    client.do("subscribe", channel=channel)
    client.sees("event", channel=channel, event=SUCCEEDED)
    return client


def test_anonymous_client_receives_public_events_and_subscription_count(start, back_end, every_kind):
    first = subscribe_to(start("pusher.js", port=every_kind.port), "news")
    first.sees("event", event=COUNT, data={"subscription_count": 1})
    second = subscribe_to(start("pusher.js", port=every_kind.port), "news")
    for listener in (first, second):
        listener.sees("event", event=COUNT, data={"subscription_count": 2})
    back_end.broadcast("news", "flash", '{"text":"Grüße 🌍","n":[1,null]}')
    for listener in (first, second):
        assert listener.sees("event", event="flash")["data"] == {"text": "Grüße 🌍", "n": [1, None]}


def test_cache_channel_sends_the_last_event_or_a_miss_to_a_new_subscriber(start, back_end, every_kind):
    first = subscribe_to(start("pusher.js", port=every_kind.port), "cache-weather")
    first.sees("event", event=MISS)
    back_end.broadcast("cache-weather", "rain", '{"mm":3}')
    assert first.sees("event", event="rain")["data"] == {"mm": 3}
    second = subscribe_to(start("pusher.js", port=every_kind.port), "cache-weather")
    assert second.sees("event", event="rain")["data"] == {"mm": 3}
    assert not second.saw("event", event=MISS)


def test_encrypted_channel_subscriber_decrypts_the_event(start, pusher, back_end, every_kind):
    casey = subscribe_to(pusher("casey", every_kind), VAULT)
    encrypted = encrypt(start, {"price": 7}, channel=VAULT)
    back_end.broadcast(VAULT, "deal", encrypted)
    assert casey.sees("event", event="deal")["data"] == {"price": 7}
    # The frame itself was still encrypted.
    assert casey.sees("frame", event="deal")["data"] == json.loads(encrypted)


def test_anonymous_client_gets_no_key_of_an_encrypted_channel(start, every_kind):
    stranger = start("pusher.js", port=every_kind.port)
    stranger.do("subscribe", channel=VAULT)
    assert stranger.sees("event", event="pusher:subscription_error")["data"]["status"] == 403


def encrypt(start, data, *, channel):
    """Encrypt data as Pusher's server libraries do, with a key derived as they document it."""
    key = hashlib.sha256(channel.encode() + REALTIME["ENCRYPTION_MASTER_KEY"]).digest()
    node = start("encrypt.js", key=base64.b64encode(key).decode(), text=json.dumps(data))
    return node.sees("encrypted")["data"]
