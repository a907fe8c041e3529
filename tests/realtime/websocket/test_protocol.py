"""Test the WebSocket protocol byte by byte: after a violation the client reads the reason."""

import time

import pytest
from asgiref.sync import sync_to_async

from realtime import limits
from realtime.server import hub
from realtime.websocket import frames
from tests.support.cast import Cast
from tests.support.clients.direct_client import DirectClient, connect_directly
from tests.support.clients.raw_client import frame
from tests.support.sockets import session_cookie, until

pytestmark = pytest.mark.django_db(transaction=True)


async def test_message_during_opening_is_answered_after_the_greeting(live_cast: Cast) -> None:
    peer = DirectClient()
    peer.shake_hands(await sync_to_async(session_cookie)(live_cast.bao))
    peer.send("pusher:ping")
    assert not peer.received("pusher:pong")
    await until(lambda: peer.received("pusher:pong"))
    assert [message["event"] for message in peer.messages()] == ["pusher:connection_established", "pusher:pong"]
    peer.server.connection_lost(None)


async def test_protocol_error_sends_a_close_frame_and_nothing_after_it(live_cast: Cast) -> None:
    peer = await connect_directly(live_cast.bao)
    peer.writes.clear()
    peer.server.data_received(frame(frames.Opcode.TEXT, b"", reserved=4))
    peer.send("pusher:ping")
    assert len(peer.writes) == 1
    assert peer.writes[0][2:4] == (1002).to_bytes(2)


async def test_client_that_sends_a_megabyte_after_close_is_aborted(live_cast: Cast) -> None:
    peer = await connect_directly(live_cast.bao)
    peer.server.data_received(frame(frames.Opcode.TEXT, b"", reserved=4))
    peer.server.data_received(bytes(limits.MAX_DISCARDED_BYTES))
    assert not peer.is_closing()
    peer.server.data_received(b"x")
    assert peer.is_closing()


PART = frame(frames.Opcode.TEXT, b'{"event": "pusher:ping"', fin=False)


@pytest.mark.parametrize(
    "sent",
    [frame(frames.Opcode.PING, b"1"), frame(frames.Opcode.PONG, b""), PART, PART[:3]],
    ids=["a ping", "an unsolicited pong", "a part of a message", "a part of a frame"],
)
async def test_whatever_a_client_sends_keeps_its_connection(live_cast: Cast, sent: bytes) -> None:
    peer = await connect_directly(live_cast.bao)
    (socket,) = hub.here().sockets
    socket.sweep(time.monotonic() + 31)
    assert peer.received("pusher:ping")
    peer.server.data_received(sent)
    socket.sweep(time.monotonic() + 46)
    assert not peer.received("pusher:error"), "It has sent something since the ping."
    socket.sweep(time.monotonic() + 46)
    assert peer.received("pusher:error"), "It has been silent since."
