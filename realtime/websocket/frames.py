"""WebSocket frames (RFC 6455, section 5): encode the server's once for all sockets, read a client's."""

from collections.abc import Iterator
from enum import IntEnum

from realtime.limits import BYTES_PER_FRAME_TOKEN
from realtime.protocol import close_codes
from realtime.utils.rate_limits import TokenBucket

MAX_CONTROL = 125  # bytes of a close, ping or pong (section 5.5)


class Opcode(IntEnum):
    """The type of a frame (section 5.2)."""

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
# Codes that a close frame may carry (section 7.4, and IANA's registry).
SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})

FIN, RESERVED, MASKED = 0x80, 0x70, 0x80
CONTROL = 8  # the first opcode of control frames, which may arrive between the fragments of a message


class ProtocolError(Exception):
    """A client violates the protocol: the close code, and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Frames:
    """Text messages in order, encoded once for any number of sockets."""

    __slots__ = ("_ready", "texts")

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self._ready: bytes | None = None

    @property
    def ready(self) -> bytes:
        """The messages as frames of a server, concatenated."""
        if self._ready is None:
            self._ready = b"".join(frame(Opcode.TEXT, text.encode()) for text in self.texts)
        return self._ready


def frame(opcode: Opcode, payload: bytes) -> bytes:
    """Return one frame of a server: unmasked, unfragmented."""
    size = len(payload)
    if size <= MAX_CONTROL:
        return bytes((FIN | opcode, size)) + payload
    if size < 1 << 16:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2) + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame; a long reason is cut, a code that frames may not carry is left out."""
    if code not in SENDABLE:
        return frame(Opcode.CLOSE, b"")
    fitting = reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore")
    return frame(Opcode.CLOSE, code.to_bytes(2) + fitting.encode())


def close_code(payload: bytes) -> int:
    """Return the code of a client's close frame (section 5.5.1). Raises ProtocolError if it is malformed."""
    if not payload:
        return NO_STATUS
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or code not in SENDABLE:
        raise ProtocolError(PROTOCOL_ERROR, "The close code is not valid.")
    text(payload[2:])
    return code


def text(payload: bytes) -> str:
    """Decode a text message (section 8.1). Raises ProtocolError if it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(INVALID_DATA, "Text must be UTF-8.") from None


class Reader:
    """Reads the frames of a client from arbitrary chunks; a message has at most `max_size` bytes."""

    __slots__ = ("_bucket", "_incomplete", "_max_size", "_message", "_message_type")

    def __init__(self, max_size: int, bucket: TokenBucket) -> None:
        self._max_size, self._bucket = max_size, bucket
        self._incomplete: bytearray | None = None  # of a frame
        self._message: bytearray | None = None  # the fragments so far
        self._message_type = Opcode.TEXT

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Yield the complete messages and control frames. Raises ProtocolError at the first invalid one."""
        buffer: bytes | bytearray = data
        if self._incomplete is not None:
            buffer = self._incomplete
            buffer += data
        start = 0
        while (found := self._read(buffer, start)) is not None:
            opcode, is_last, payload, start = found
            if not self._bucket.consume(1 + len(payload) // BYTES_PER_FRAME_TOKEN):
                reason = close_codes.TOO_MANY_FRAMES
                raise ProtocolError(reason.code, reason.message)
            if opcode >= CONTROL:
                yield opcode, payload
            elif (message := self._join(opcode, payload, is_last)) is not None:
                yield self._message_type, message
        self._keep(buffer, start)

    def _keep(self, buffer: bytes | bytearray, start: int) -> None:
        """Keep the beginning of an incomplete frame."""
        if start == len(buffer):
            self._incomplete = None
        elif start or self._incomplete is None:
            self._incomplete = bytearray(buffer[start:])

    def _read(self, data: bytes | bytearray, start: int) -> tuple[Opcode, bool, bytes, int] | None:
        """Return the frame at `start` and its end; None if it is incomplete."""
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
        """Return the type of a frame by its header. Raises ProtocolError if it is invalid (sections 5.1 to 5.5)."""
        if not second & MASKED or first & RESERVED:
            raise ProtocolError(PROTOCOL_ERROR, "A client frame must be masked, without reserved bits.")
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise ProtocolError(PROTOCOL_ERROR, "Unbuffer opcode.") from None
        if opcode >= CONTROL:
            if not first & FIN or second & 0x7F > MAX_CONTROL:
                raise ProtocolError(PROTOCOL_ERROR, "A control frame must be short and unfragmented.")
        elif (opcode is Opcode.CONTINUATION) is (self._message is None):
            raise ProtocolError(PROTOCOL_ERROR, "A fragmented message must be continued.")
        elif size + len(self._message or b"") > self._max_size:
            raise ProtocolError(TOO_LARGE, f"A message is at most {self._max_size} bytes.")
        return opcode

    def _join(self, opcode: Opcode, payload: bytes, is_last: bool) -> bytes | None:
        """Return the message that the frame completes, if it does."""
        if opcode is not Opcode.CONTINUATION:
            self._message_type = opcode
            if is_last:
                return payload
        message = (self._message or bytearray()) + payload
        self._message = None if is_last else message
        return bytes(message) if is_last else None


def _unmask(payload: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    """Return the unmasked payload (section 5.3)."""
    size = len(payload)
    pattern = (bytes(mask) * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(pattern)).to_bytes(size)
