"""What waits between a fast and a slow connection: in a temporary file, so that it costs little memory."""

import asyncio
from tempfile import SpooledTemporaryFile
from typing import ClassVar

CHUNK = 64 * 1024  # bytes that are passed on at once
MAX_IN_MEMORY = 16 * 1024  # bytes of one spool that wait in memory


class Spool:
    """Bytes that wait, in the order in which they came; few of them in memory."""

    in_all: ClassVar[int] = 0  # bytes of all spools

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(MAX_IN_MEMORY)  # noqa: SIM115  (closed by `close`)
        self._taken = self._put = 0

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return self._put - self._taken

    def put(self, data: bytes) -> None:
        """Keep."""
        self._file.seek(self._put)
        self._file.write(data)
        self._put += len(data)
        Spool.in_all += len(data)

    def take(self, size: int) -> bytes:
        """Return the first bytes, and keep them no longer."""
        self._file.seek(self._taken)
        data = self._file.read(size)
        self._taken += len(data)
        Spool.in_all -= len(data)
        if not self:
            self._taken = self._put = 0
        return data

    def close(self) -> None:
        """Forget what waits."""
        Spool.in_all -= len(self)
        self._taken = self._put = 0
        self._file.close()


class Pump:
    """Passes bytes on to a transport, no faster than it takes them."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._to: asyncio.Transport | None = None
        self._is_paused = self._is_over = False
        self.passed = 0  # bytes so far

    def put(self, data: bytes) -> None:
        """Pass on, after what waits already."""
        if self._spool or self._is_paused or self._to is None:
            self._spool.put(data)
        else:
            self._pass(data)

    def begin(self, to: asyncio.Transport) -> None:
        """Begin to pass on, to this transport."""
        self._to = to
        self._go_on()

    def finish(self) -> None:
        """Close the transport when it has everything."""
        self._is_over = True
        self._go_on()

    def pause(self) -> None:
        """Have everything wait: the transport is full."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False
        self._go_on()

    def close(self) -> None:
        """Forget what waits, and close the transport."""
        self._spool.close()
        if self._to is not None:
            self._to.close()

    def _go_on(self) -> None:
        if self._to is None or self._to.is_closing():
            return
        while self._spool and not self._is_paused:
            self._pass(self._spool.take(CHUNK))
        if self._is_over and not self._spool:
            self._to.close()

    def _pass(self, data: bytes) -> None:
        if self._to is not None and not self._to.is_closing():
            self.passed += len(data)
            self._to.write(data)
