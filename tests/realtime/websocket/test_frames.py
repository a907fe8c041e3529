"""WebSocket's frames: what a client sends arrives however it is cut, and what a server sends is read by a library."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.frames import Opcode as LibrarysOpcode
from websockets.protocol import State
from websockets.uri import parse_uri

from realtime.utils.rate_limits import TokenBucket
from realtime.websocket.frames import Frames, Opcode, ProtocolError, Reader, close_frame, frame

MOST = 1000


def reader(most: int = MOST, frames: int = 1000) -> Reader:
    return Reader(most, TokenBucket(0, frames))


def sent_by_client(opcode: Opcode, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a client's frame, as the library writes it."""
    return bytes(Frame(LibrarysOpcode(opcode), payload, fin).serialize(mask=True))


def read_by_client(data: bytes) -> list[tuple[int, bytes]]:
    """Return the frames that the library reads."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    return [(event.opcode, bytes(event.data)) for event in client.events_received()]


messages = st.lists(
    st.tuples(st.sampled_from((Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)), st.binary(max_size=120)),
    max_size=6,
)


@given(messages=messages, cuts=st.lists(st.integers(1, 50), max_size=40), pieces=st.booleans())
def test_messages_are_assembled_from_any_chunks(messages, cuts, pieces):
    data = b""
    for opcode, payload in messages:
        if pieces and opcode in (Opcode.TEXT, Opcode.BINARY):
            data += sent_by_client(opcode, payload[:7], fin=False)
            data += sent_by_client(Opcode.PING, b"meanwhile")
            data += sent_by_client(Opcode.CONTINUATION, payload[7:])
        else:
            data += sent_by_client(opcode, payload)
    read, messages_read = reader(), []
    for size in (*cuts, len(data) or 1):
        messages_read += read.feed(data[:size])
        data = data[size:]
    assert [each for each in messages_read if each != (Opcode.PING, b"meanwhile")] == messages


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 300_000])
def test_client_reads_what_the_server_writes(size):
    text = "ü" * (size // 2) + "x" * (size % 2)
    assert read_by_client(Frames(text, "and more").ready) == [(1, text.encode()), (1, b"and more")]


@pytest.mark.parametrize("size", [126, 65_535, 65_536, 300_000])
def test_server_reads_what_the_client_writes(size):
    payload = secrets.token_bytes(size)
    assert list(reader(size).feed(sent_by_client(Opcode.BINARY, payload))) == [(Opcode.BINARY, payload)]


def test_frames_are_encoded_once():
    frames = Frames("Hello")
    assert frames.ready is frames.ready


def test_oversized_message_is_refused_before_it_has_arrived():
    head = sent_by_client(Opcode.TEXT, b"x" * (MOST + 1))[:8]
    with pytest.raises(ProtocolError) as broken:
        list(reader().feed(head))
    assert broken.value.code == 1009


def test_oversized_fragments_are_refused():
    read = reader()
    assert not list(read.feed(sent_by_client(Opcode.TEXT, b"x" * MOST, fin=False)))
    with pytest.raises(ProtocolError) as broken:
        list(read.feed(sent_by_client(Opcode.CONTINUATION, b"x")))
    assert broken.value.code == 1009


def test_number_of_frames_is_limited():
    read = reader(frames=3)
    assert len(list(read.feed(sent_by_client(Opcode.PING, b"") * 3))) == 3
    with pytest.raises(ProtocolError) as broken:
        list(read.feed(sent_by_client(Opcode.TEXT, b"", fin=False)))
    assert broken.value.code == 4100


def test_large_frame_counts_as_several():
    large = sent_by_client(Opcode.BINARY, b"x" * 8192)  # as three
    assert len(list(reader(8192, frames=3).feed(large))) == 1
    with pytest.raises(ProtocolError) as broken:
        list(reader(8192, frames=2).feed(large))
    assert broken.value.code == 4100


def test_close_reason_is_cut_between_characters():
    (opcode, payload), *_ = read_by_client(close_frame(4100, "ü" * 100))
    assert (opcode, payload[:2], payload[2:].decode()) == (8, (4100).to_bytes(2), "ü" * 61)
    assert close_frame(1005) == frame(Opcode.CLOSE, b"")
