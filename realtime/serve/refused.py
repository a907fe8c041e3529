"""An answer of the server itself, instead of the view's."""

from typing import Any


class Refused(Exception):
    """The request gets this answer instead of the view's."""

    def __init__(self, status: int, reason: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(reason)
        self._status, self._headers = status, headers

    async def answer(self, send: Any) -> None:
        """Send it, and close the connection."""
        body = f"{self}\n".encode()
        head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body)), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": self._status, "headers": [*head, *self._headers]})
        await send({"type": "http.response.body", "body": body})
