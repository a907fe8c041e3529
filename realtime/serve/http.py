"""uvicorn's HTTP protocol, with bounds on the head of a request, and without upgrades to protocols not offered."""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD = 16 * 1024  # bytes of a request's line and headers
HEAD_TIMEOUT = 10.0  # seconds
INVALID = "Invalid HTTP request received."


class HTTPProtocol(HttpToolsProtocol):
    """Answers 431 to a head over MAX_HEAD bytes, and 408 to one that takes longer than HEAD_TIMEOUT.

    Ignores an upgrade to anything but WebSocket (RFC 9110, section 7.8). httptools would not parse the body of such a
    request, and nothing after it: the request is parsed again without the header.
    """

    def connection_made(self, transport: Any) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._head_size = 0
        self._head_timer = self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Parse `data`; count it while a head is incomplete."""
        is_in_head = self._head_timer is not None
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._parse_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response(INVALID)
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
        """Start the request."""
        self._stop_timer()
        if not self._is_ignored():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request's body."""
        if not self._is_ignored():
            super().on_message_complete()

    def _is_ignored(self) -> bool:
        """Return whether the request will be parsed again without its upgrade."""
        return self.parser.should_upgrade() and not self._should_upgrade()

    def _parse_without_upgrade(self, rest: bytes) -> None:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self.send_400_response(INVALID)
            return
        kept = [header for header in self.headers if header[0] != b"upgrade"]
        lines = [b"%b %b HTTP/%b" % (method, self.url, version), *(b"%b: %b" % header for header in kept), b"", rest]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.data_received(b"\r\n".join(lines))

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
