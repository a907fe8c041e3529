"""The server's end of a WebSocket, byte by byte: who breaks the protocol reads why, and is not heard for long."""

import asyncio

import pytest

from realtime import limits
from realtime.websocket import frames
from tests.support.cast import Cast
from tests.support.direct_sockets import Peer, on_wire
from tests.support.raw_websocket import frame

pytestmark = pytest.mark.django_db(transaction=True)


async def test_who_speaks_before_he_is_answered_is_refused() -> None:
    peer = Peer()
    peer.shake_hands("")
    peer.say("pusher:ping")
    assert peer.heard("HTTP/1.1 400 Bad Request")
    await asyncio.gather(*peer.server._server.tasks)
    assert not peer.heard("101 Switching Protocols")


async def test_who_breaks_the_protocol_reads_why_and_nothing_after_it(live_cast: Cast) -> None:
    peer = await on_wire(live_cast.bao)
    peer.writes.clear()
    peer.server.data_received(frame(frames.Opcode.TEXT, b"", reserved=4))
    peer.say("pusher:ping")
    assert len(peer.writes) == 1
    assert peer.writes[0][2:4] == (1002).to_bytes(2)


async def test_who_goes_on_for_a_megabyte_after_his_end_is_cut_off(live_cast: Cast) -> None:
    peer = await on_wire(live_cast.bao)
    peer.server.data_received(frame(frames.Opcode.TEXT, b"", reserved=4))
    peer.server.data_received(bytes(limits.MAX_DISCARDED_BYTES))
    assert not peer.is_closing()
    peer.server.data_received(b"x")
    assert peer.is_closing()
