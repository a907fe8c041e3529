"""Frames of WebSocket (RFC 6455, section 5): a server's are written once for all sockets, a client's are read."""

from collections.abc import Iterator
from enum import IntEnum

from realtime.limits import BYTES_PER_FRAME_TOKEN
from realtime.protocol import OVER_CAPACITY
from realtime.utils.rate_limits import TokenBucket

MAX_CONTROL = 125  # bytes of a close, ping or pong (section 5.5)


class Opcode(IntEnum):
    """What a frame is (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
NO_STATUS = 1005
ABNORMAL = 1006
INVALID_DATA = 1007
TOO_LARGE = 1009
INTERNAL_ERROR = 1011
RESTART = 1012
# Codes that may stand in a frame (section 7.4, and IANA's registry); the others say what no frame said.
SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})

FIN, RESERVED, MASKED = 0x80, 0x70, 0x80
CONTROL = 8  # the first opcode of frames that may come between the pieces of a message


class ProtocolError(Exception):
    """A client that does not keep to the protocol: the code to close with, and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Frames:
    """Text messages in their order, encoded once for however many sockets hear them."""

    __slots__ = ("_ready", "texts")

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self._ready: bytes | None = None

    @property
    def ready(self) -> bytes:
        """The messages as a server's frames, end to end."""
        if self._ready is None:
            self._ready = b"".join(frame(Opcode.TEXT, text.encode()) for text in self.texts)
        return self._ready


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return one whole frame of a server: not masked, not in pieces."""
    size = len(payload)
    if size <= MAX_CONTROL:
        return bytes((FIN | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame; what does not fit of the reason is left out, and a code that no frame may have too."""
    if code not in SENDABLE:
        return frame(Opcode.CLOSE, b"")
    fitting = reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore")
    return frame(Opcode.CLOSE, code.to_bytes(2) + fitting.encode())


def close_code(payload: bytes) -> int:
    """Return the code that a client's close frame says (section 5.5.1); raise Broken for one that says nonsense."""
    if not payload:
        return NO_STATUS
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or code not in SENDABLE:
        raise ProtocolError(PROTOCOL_ERROR, "The close code is none.")
    text(payload[2:])
    return code


def text(payload: bytes) -> str:
    """Return a text message's text (section 8.1); raise Broken where it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(INVALID_DATA, "Text is UTF-8.") from None


class Reader:
    """Puts together what a client sends, however it is cut; a message has `most` bytes at most."""

    __slots__ = ("_allowance", "_beginning", "_kind", "_message", "_most")

    def __init__(self, most: int, allowance: TokenBucket) -> None:
        self._most, self._allowance = most, allowance
        self._beginning: bytearray | None = None  # of a frame
        self._message: bytearray | None = None  # the pieces so far
        self._kind = Opcode.TEXT

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Yield the messages and control frames that are whole now; raise Broken at the first that may not be."""
        known: bytes | bytearray = data
        if self._beginning is not None:
            known = self._beginning
            known += data
        start = 0
        while (found := self._read(known, start)) is not None:
            opcode, is_last, payload, start = found
            if not self._allowance.consume(1 + len(payload) // BYTES_PER_FRAME_TOKEN):
                raise ProtocolError(OVER_CAPACITY, "Too many frames.")
            if opcode >= CONTROL:
                yield opcode, payload
            elif (message := self._join(opcode, payload, is_last)) is not None:
                yield self._kind, message
        self._keep(known, start)

    def _keep(self, known: bytes | bytearray, start: int) -> None:
        """Keep the beginning of a frame until the rest has come."""
        if start == len(known):
            self._beginning = None
        elif start or self._beginning is None:
            self._beginning = bytearray(known[start:])

    def _read(self, data: bytes | bytearray, start: int) -> tuple[Opcode, bool, bytes, int] | None:
        """Return the frame at `start` and where it ends; None where it is not whole."""
        if len(data) < start + 2:
            return None
        first, second = data[start], data[start + 1]
        size, at = second & 0x7F, start + 2
        if size > MAX_CONTROL:
            width = 2 if size == MAX_CONTROL + 1 else 8
            size, at = int.from_bytes(data[at : at + width]), at + width
        opcode = self._check(first, second, size if at <= len(data) else 0)
        end = at + 4 + size
        if len(data) < end:
            return None
        return opcode, bool(first & FIN), _unmask(data[at + 4 : end], data[at : at + 4]), end

    def _check(self, first: int, second: int, size: int) -> Opcode:
        """Return what a frame is, by its head; raise Broken if it may not be here (sections 5.1 to 5.5)."""
        if not second & MASKED or first & RESERVED:
            raise ProtocolError(PROTOCOL_ERROR, "A client's frame is masked, and of no extension.")
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise ProtocolError(PROTOCOL_ERROR, "There is no frame of this kind.") from None
        if opcode >= CONTROL:
            if not first & FIN or second & 0x7F > MAX_CONTROL:
                raise ProtocolError(PROTOCOL_ERROR, "A control frame is short, and in one piece.")
        elif (opcode is Opcode.CONTINUATION) is (self._message is None):
            raise ProtocolError(PROTOCOL_ERROR, "The pieces of a message come one after the other.")
        elif size + len(self._message or b"") > self._most:
            raise ProtocolError(TOO_LARGE, f"A message is at most {self._most} bytes.")
        return opcode

    def _join(self, opcode: Opcode, payload: bytes, is_last: bool) -> bytes | None:
        """Return the message that a frame completes."""
        if opcode is not Opcode.CONTINUATION:
            self._kind = opcode
            if is_last:
                return payload
        message = (self._message or bytearray()) + payload
        self._message = None if is_last else message
        return bytes(message) if is_last else None


def _unmask(payload: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    """Return what was masked (section 5.3)."""
    size = len(payload)
    pattern = (bytes(mask) * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(pattern)).to_bytes(size)
