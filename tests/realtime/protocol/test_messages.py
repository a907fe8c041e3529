"""Pusher messages and signatures: the known answers of the documentation, and what is malformed."""

import json

import pytest

from realtime import protocol

SECRET = "7ad3773142a6692b25b8"


def test_signatures_match_the_documentation() -> None:
    assert protocol.signature(SECRET, "1234.1234", "private-foobar") == (
        "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"
    )
    data = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'
    assert protocol.channel_auth("key", SECRET, "1234.1234", "presence-foobar", data) == (
        "key:31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80"
    )


@pytest.mark.parametrize(
    ("auth", "socket_id", "channel", "data"),
    [
        ("other:{}", "1.1", "private-a", ""),
        ("key:{}", "1.2", "private-a", ""),
        ("key:{}", "1.1", "private-b", ""),
        ("key:{}", "1.1", "private-a", '{"user_id":"7"}'),
        ("{}", "1.1", "private-a", ""),
        ("key:ü{}", "1.1", "private-a", ""),
    ],
)
def test_signature_covers_key_socket_channel_and_data(auth: str, socket_id: str, channel: str, data: str) -> None:
    genuine = protocol.signature(SECRET, "1.1", "private-a")
    assert protocol.is_valid_channel_auth(f"key:{genuine}", "key", [SECRET], "1.1", "private-a")
    assert not protocol.is_valid_channel_auth(auth.format(genuine), "key", [SECRET], socket_id, channel, data)


def test_signature_is_accepted_with_either_rotated_secret() -> None:
    for secret in ("new", "old"):
        auth = protocol.channel_auth("key", secret, "1.1", "private-a")
        assert protocol.is_valid_channel_auth(auth, "key", ["new", "old"], "1.1", "private-a")
    forged = protocol.channel_auth("key", "other", "1.1", "private-a")
    assert not protocol.is_valid_channel_auth(forged, "key", ["new", "old"], "1.1", "private-a")


def test_frame_data_is_a_json_string() -> None:
    frame = json.loads(protocol.connection_established("1.2", 120.0))
    assert frame == {
        "event": "pusher:connection_established",
        "data": '{"socket_id":"1.2","activity_timeout":120}',
    }


def test_socket_ids_are_two_numbers_and_unique() -> None:
    ids = {protocol.new_socket_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(protocol.SOCKET_ID.fullmatch(each) for each in ids)


@pytest.mark.parametrize("data", ['{"a":1}', '"{\\"a\\":1}"'])
def test_client_data_may_be_an_object_or_its_json(data: str) -> None:
    assert protocol.parse(f'{{"event":"x","data":{data}}}').fields() == {"a": 1}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "1", '{"event":1}', '{"event":""}', '{"event":"x","data":[1]}', "[" * 50_000]
)
def test_malformed_message_raises(text: str) -> None:
    with pytest.raises(protocol.InvalidMessage):
        protocol.parse(text).fields()
