"""Sockets of the doctor: one that subscribes, and one that is silent."""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from realtime import protocol
from realtime.doctor.site import TIMEOUT, Site

QUERY = "protocol=7&client=doctor&version=1.0.0"


class Closed(Exception):
    """The socket was closed; the text has the code and reason."""


class Socket:
    """A socket on /app/{key}, opened as a page of `origin` opens it. Raises OSError, WebSocketException."""

    def __init__(self, site: Site, key: str, *, origin: str, cookie: str = "") -> None:
        is_secured = site.scheme == "https"
        self._stack = ExitStack()
        opening = connect(
            f"{'wss' if is_secured else 'ws'}://{site.netloc}/app/{key}?{QUERY}",
            origin=Origin(origin),
            additional_headers={"Cookie": cookie} if cookie else {},
            open_timeout=TIMEOUT,
            close_timeout=1,
            ping_interval=None,
            proxy=None,
            ssl=ssl.create_default_context() if is_secured else None,
        )
        self._connection: ClientConnection = self._stack.enter_context(opening)
        self.socket_id = ""  # once the server has greeted

    def receive(self, seconds: float) -> dict[str, Any]:
        """Return the next frame, its data decoded. Raises TimeoutError, Closed."""
        try:
            frame: dict[str, Any] = json.loads(self._connection.recv(max(0, seconds)))
        except ConnectionClosed as error:
            code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (1006, "the connection was cut")
            raise Closed(f"{code} {reason}".strip()) from None
        with suppress(TypeError, ValueError):
            frame["data"] = json.loads(frame["data"])
        return frame

    def wait_for(self, *events: str, seconds: float) -> dict[str, Any]:
        """Return the next frame of one of these events. Raises TimeoutError, Closed."""
        deadline = time.monotonic() + seconds
        for frame in self._until(deadline):
            if frame.get("event") == "pusher:connection_established":
                self.socket_id = frame["data"]["socket_id"]
            if frame.get("event") in events:
                return frame
        raise TimeoutError

    def _until(self, deadline: float) -> Iterator[dict[str, Any]]:
        while time.monotonic() < deadline:
            frame = self.receive(deadline - time.monotonic())
            if frame.get("event") == "pusher:ping":
                self.send("pusher:pong", {})
            yield frame

    def send(self, event: str, data: dict[str, Any]) -> None:
        """Send a message."""
        self._connection.send(protocol.encode({"event": event, "data": data}))

    def close(self) -> None:
        """Close the socket."""
        self._stack.close()


class IdleSocket:
    """A socket that sends nothing; in a thread it waits for the server's first ping."""

    def __init__(self, socket: Socket, patience: float) -> None:
        self._socket, self._patience = socket, patience
        self._started_at = time.monotonic()
        self.cut_after: float | None = None  # seconds
        self.was_pinged = False
        self._thread = Thread(target=self._wait, name="doctor-idle", daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        try:
            self._socket.wait_for("pusher:ping", seconds=self._patience)
            self.was_pinged = True
        except Closed:
            self.cut_after = time.monotonic() - self._started_at
        except TimeoutError:
            pass

    def join(self) -> None:
        """Wait until the socket was pinged or cut, or its patience is over."""
        self._thread.join()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
