"""The encoding of messages between processes, which two releases share during a rolling restart."""

import logging
from typing import Any

import pytest

from realtime import protocol
from realtime.broadcasting.channel_layer import PRESENCE_GROUP, REAUTHORIZE_CHANNEL, RELAY_CHANNEL, default_layer
from realtime.broadcasting.messages import (
    Barrier,
    Batch,
    Command,
    Deliver,
    Ephemeral,
    LayerMessage,
    PresenceChanged,
    Reauthorize,
    Relay,
    Unknown,
    decode,
    decode_command,
    encode,
    encode_command,
)
from realtime.server import hub
from tests.support.cast import Cast
from tests.support.sockets import do, subscribe

DELIVER = {
    "type": "realtime.deliver",
    "group": "public.news",
    "id": 7,
    "broadcast": 3,
    "wants_receipt": True,
    "frame": "{}",
    "after": [5],
    "committed_at": 12.5,
}
EPHEMERAL = {"type": "realtime.tell", "group": "public.news", "frame": "{}", "except": "1.2"}  # codespell:ignore tell
ENCODED = [
    (Deliver("public.news", 7, 3, True, "{}", [5], 12.5), DELIVER),
    (Ephemeral("public.news", "{}", "1.2"), EPHEMERAL),
    (
        Batch("public.news", [Ephemeral("public.news", "{}", "1.2")]),
        {"type": "realtime.bundle", "group": "public.news", "messages": [EPHEMERAL]},
    ),
    (
        PresenceChanged(["presence-a"]),
        {"type": "realtime.presence", "group": PRESENCE_GROUP, "channels": ["presence-a"]},
    ),
    (Barrier("public.news", "id"), {"type": "realtime.fence", "group": "public.news", "fence": "id"}),
]


@pytest.mark.parametrize(("message", "data"), ENCODED)
def test_message_keeps_its_wire_format(message: LayerMessage, data: dict[str, Any]) -> None:
    assert encode(message) == data
    assert decode(data) == message


def test_delivery_of_the_previous_release_has_no_time() -> None:
    earlier = {name: value for name, value in DELIVER.items() if name != "committed_at"}
    assert decode(earlier) == Deliver("public.news", 7, 3, True, "{}", [5])


@pytest.mark.parametrize("data", [{"type": "realtime.future"}, {"type": "realtime.deliver", "id": 7}, {}])
def test_unreadable_message_decodes_as_unknown(data: dict[str, Any]) -> None:
    assert decode(data) == Unknown(str(data.get("type")))


def test_batch_keeps_readable_messages_beside_an_unknown_one() -> None:
    batch = decode({"type": "realtime.bundle", "group": "g", "messages": [{"type": "realtime.future"}, EPHEMERAL]})
    assert batch == Batch("g", [Unknown("realtime.future"), Ephemeral("public.news", "{}", "1.2")])


@pytest.mark.parametrize(
    ("command", "name", "data"),
    [
        (
            Reauthorize(["a"], ["1"], ["2"], ["3.4"]),
            REAUTHORIZE_CHANNEL,
            {"channels": ["a"], "users": ["1"], "hang_up_users": ["2"], "hang_up_sockets": ["3.4"]},
        ),
        (Relay([Ephemeral("public.news", "{}", "1.2")]), RELAY_CHANNEL, {"messages": [EPHEMERAL]}),
    ],
)
def test_command_keeps_its_log_format(command: Command, name: str, data: dict[str, Any]) -> None:
    assert encode_command(command) == (name, data)
    assert decode_command(protocol.frame(name, channel=name, data=protocol.encode(data))) == command


def test_unknown_command_decodes_as_unknown() -> None:
    assert decode_command(protocol.frame("#future", channel="#future", data="{}")) == Unknown("#future")


@pytest.mark.django_db(transaction=True)
async def test_hub_ignores_unknown_message_and_delivers_the_next(
    live_cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    bao = await subscribe(live_cast.bao, live_cast.ticket.channel)
    with caplog.at_level(logging.WARNING, logger=hub.__name__):
        await default_layer().group_send(PRESENCE_GROUP, {"type": "realtime.future"})
        await do(live_cast.reply, live_cast.bao, "Next")
        assert (await bao.event("ticket.reply.created"))["reply"]["message"] == "Next"
    assert "type=realtime.future" in caplog.text
