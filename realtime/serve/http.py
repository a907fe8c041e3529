"""uvicorn's HTTP protocol, with bounds on the head of a request."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD = 16 * 1024  # bytes of a request's line and headers
HEAD_TIMEOUT = 10.0  # seconds


class HTTPProtocol(HttpToolsProtocol):
    """Answers 431 to a head over MAX_HEAD bytes, and 408 to one that takes longer than HEAD_TIMEOUT."""

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._head_size = 0
        self._head_timer = self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Parse `data`; count it while a head is incomplete."""
        is_in_head = self._head_timer is not None
        super().data_received(data)
        if is_in_head and self._head_timer is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD:
                self._refuse(431)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count a head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._head_size, self._head_timer = 0, self._start_timer()

    def on_headers_complete(self) -> None:
        """End of a head."""
        self._stop_timer()
        super().on_headers_complete()

    def _start_timer(self) -> asyncio.TimerHandle | None:
        return self.loop.call_later(HEAD_TIMEOUT, self._refuse, 408)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, status: int) -> None:
        self._stop_timer()
        head: Any = STATUS_LINE[status]
        self.transport.write(head + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
