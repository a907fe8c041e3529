"""WebSocket on a bare TCP connection: what a client of good will would not send, or would read."""

import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

TIMEOUT = 60  # seconds, on a busy machine
CONTINUATION, TEXT, BINARY, CLOSE, PING = 0, 1, 2, 8, 9
HANDSHAKE = (
    "GET /app/tikm?protocol=7 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


def frame(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """Return the bytes of one frame (RFC 6455, section 5.2)."""
    head = bytes([fin << 7 | reserved << 4 | opcode])
    size = len(payload)
    if size < 126:
        length = struct.pack("!B", masked << 7 | size)
    elif size < 65536:
        length = struct.pack("!BH", masked << 7 | 126, size)
    else:
        length = struct.pack("!BQ", masked << 7 | 127, size)
    if not masked:
        return head + length + payload
    mask = os.urandom(4)
    return head + length + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


class RawClient:
    """A client that reads only on demand."""

    def __init__(self, port: int, *headers: str, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", port))
        lines = "".join(f"{line}\r\n" for line in headers)
        self.socket.sendall(f"{HANDSHAKE.format(port=port)}{lines}\r\n".encode())
        self._read = self.socket.makefile("rb")
        self.response = b""
        while (line := self._read.readline()).strip():
            self.response += line

    def send(self, sent: bytes, times: int = 1) -> None:
        """Send bytes `times` times, or until the server closes."""
        with suppress(ConnectionError):
            for _ in range(times):
                self.socket.sendall(sent)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of whatever comes, to the end of the connection."""
        with suppress(ConnectionError, struct.error):
            while True:
                opcode, size = struct.unpack("!BB", self._read.read(2))
                if size == 126:
                    (size,) = struct.unpack("!H", self._read.read(2))
                elif size == 127:
                    (size,) = struct.unpack("!Q", self._read.read(8))
                payload = self._read.read(size)
                if len(payload) < size:
                    return
                yield opcode & 15, payload

    def event(self) -> Any:
        """Read one event."""
        return json.loads(next(self.frames())[1])

    def close_code(self) -> int | None:
        """Read to the close, and return its code; None if the connection ended without one."""
        closes = (payload for opcode, payload in self.frames() if opcode == CLOSE)
        return next((struct.unpack("!H", payload[:2])[0] for payload in closes), None)

    def close(self) -> None:
        """Disconnect."""
        self._read.close()
        self.socket.close()
