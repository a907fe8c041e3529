"""A Pusher client for the terminal: one socket, one channel, reconnecting as the protocol asks of clients."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from realtime import protocol

SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
QUERY = "protocol=7&client=listen&version=1.0.0"
CONNECT_TIMEOUT = 10  # seconds for the opening handshake, and for the first frame
PONG_TIMEOUT = 30  # seconds
CLOSE_TIMEOUT = 2  # seconds
ACTIVITY_TIMEOUT = 120  # seconds of silence before a ping, unless the server names another number
ABNORMAL_CLOSURE = 1006  # no close frame (RFC 6455, section 7.1.5)
REASONS = {
    1000: "closed by the server",
    1001: "the server is going away",
    ABNORMAL_CLOSURE: "connection lost",
    1012: "the server is restarting",
}
RECONNECT_DELAYS = (0, 1, 2, 4, 8, 15)  # seconds, by the number of failures in a row

Sign = Callable[[str], dict[str, str]]


class Refused(Exception):
    """The server refuses this client permanently; the message says why."""


class Disconnected(Exception):
    """The connection ended; the client may reconnect after `delay` seconds."""

    def __init__(self, reason: str, delay: float = 1) -> None:
        super().__init__(reason)
        self.delay = delay


@dataclass(frozen=True)
class Notice:
    """A message about the connection."""

    text: str


@dataclass(frozen=True)
class ReceivedEvent:
    """An event; its data is decoded from JSON if it is JSON."""

    event: str
    channel: str
    data: Any
    event_id: str = ""


def websocket_url(base: str, key: str) -> str:
    """Return the WebSocket URL of the app `key` on the server `base` (ws, wss, http or https). Raises ValueError."""
    try:
        parts = urlsplit(base)
        is_valid = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError(f"{base} is not a server URL; expected one with ws://, wss://, http:// or https://.")
    path = parts.path.rstrip("/")
    if "/app/" not in path:
        path = f"{path}/app/{key}"
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, QUERY, ""))


class PusherClient:
    """Subscribes to one channel, and again after each interruption."""

    def __init__(self, url: str, channel: str, sign: Sign) -> None:
        """`sign` returns the fields of /broadcasting/auth for a socket id."""
        self._url, self._channel, self._sign = url, channel, sign
        self._was_established = self._is_subscribed = False
        self._failures = 0
        self._error = ""

    def events(self) -> Iterator[ReceivedEvent | Notice]:
        """Yield events and notices without end. Raises Refused if reconnecting would not help."""
        while True:
            self._is_subscribed, self._error = False, ""
            try:
                yield from self._connect()
            except Disconnected as error:
                delay = max(error.delay, RECONNECT_DELAYS[min(self._failures, len(RECONNECT_DELAYS) - 1)])
                self._failures += 1
                yield Notice(f"{error} Reconnecting {f'in {delay} s' if delay else 'now'}.")
                time.sleep(delay)

    def _connect(self) -> Iterator[ReceivedEvent | Notice]:
        with ExitStack() as stack:
            socket = self._open(stack)
            try:
                yield from self._subscribe(socket)
            except ConnectionClosed as error:
                raise self._close_error(error) from None

    def _open(self, stack: ExitStack) -> ClientConnection:
        """Open the socket. A failure is permanent (Refused) unless an earlier connection was established."""
        options: dict[str, Any] = {
            "open_timeout": CONNECT_TIMEOUT,
            "close_timeout": CLOSE_TIMEOUT,
            "ping_interval": None,
        }
        try:
            socket: ClientConnection = stack.enter_context(connect(self._url, **options))
            return socket
        except (OSError, WebSocketException, ImportError) as error:
            reason = f"Cannot connect to {_without_query(self._url)}: {_describe(error)}."
            raise (Disconnected(reason) if self._was_established else Refused(reason)) from None

    def _subscribe(self, socket: ClientConnection) -> Iterator[ReceivedEvent | Notice]:
        established = self._receive_established(socket)
        self._was_established = True
        subscription = {"channel": self._channel, **self._sign(str(established.get("socket_id")))}
        socket.send(protocol.encode({"event": "pusher:subscribe", "data": subscription}))
        timeout = established.get("activity_timeout")
        for frame in _frames(socket, timeout if isinstance(timeout, int) and timeout > 0 else ACTIVITY_TIMEOUT):
            yield from self._handle(str(frame.get("event")), frame)

    def _receive_established(self, socket: ClientConnection) -> dict[str, Any]:
        """Return the data of pusher:connection_established; remember an error that precedes a close."""
        try:
            while True:
                frame = _decode(socket.recv(CONNECT_TIMEOUT))
                data = _value(frame.get("data"))
                if frame.get("event") == "pusher:connection_established" and isinstance(data, dict):
                    return data
                if frame.get("event") != "pusher:error":
                    raise Refused(f"{_without_query(self._url)} does not speak the Pusher protocol.")
                self._error = _message(data)
        except TimeoutError:
            raise Disconnected("The server accepted the connection but sent nothing.") from None

    def _handle(self, event: str, frame: dict[str, Any]) -> Iterator[ReceivedEvent | Notice]:
        data = _value(frame.get("data"))
        if event == "pusher_internal:subscription_succeeded":
            yield Notice("Subscribed again: the audience has changed." if self._is_subscribed else "Subscribed.")
            self._is_subscribed, self._failures = True, 0
        elif event == "pusher:subscription_error":
            raise Refused(f"Subscription {'ended' if self._is_subscribed else 'refused'}: {_message(data)}")
        elif event == "pusher:error":
            self._error = _message(data)
            yield Notice(f"Error from the server: {self._error}")
        elif event != "pusher:pong":
            yield ReceivedEvent(event, str(frame.get("channel", "")), data, str(frame.get("event_id", "")))

    def _close_error(self, error: ConnectionClosed) -> Disconnected | Refused:
        """Return what the protocol asks of a client for this close code (Pusher: "Error codes")."""
        code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (ABNORMAL_CLOSURE, "")
        text = f"Connection closed ({code}): {self._error or reason or REASONS.get(code, 'no reason given')}"
        text = text if text.endswith(".") else f"{text}."
        if code < 4000 or 4100 <= code < 4200:
            return Disconnected(text)
        return Disconnected(text, delay=0) if 4200 <= code < 4300 else Refused(text)


def _frames(socket: ClientConnection, activity_timeout: float) -> Iterator[dict[str, Any]]:
    """Yield frames; answer pings, and send one after `activity_timeout` seconds of silence."""
    while True:
        try:
            text = socket.recv(activity_timeout)
        except TimeoutError:
            text = _receive_after_ping(socket)
        frame = _decode(text)
        if frame.get("event") == "pusher:ping":
            socket.send(protocol.frame("pusher:pong", data="{}"))
        else:
            yield frame


def _receive_after_ping(socket: ClientConnection) -> str | bytes:
    socket.send(protocol.frame("pusher:ping", data="{}"))
    try:
        return socket.recv(PONG_TIMEOUT)
    except TimeoutError:
        raise Disconnected("The server does not answer a ping.", delay=0) from None


def _decode(text: str | bytes) -> dict[str, Any]:
    """Return a frame; an empty one if the text is not a JSON object."""
    frame = _value(text)
    return frame if isinstance(frame, dict) else {}


def _value(text: Any) -> Any:
    """Return the value of a JSON text; anything else unchanged."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def _message(data: Any) -> str:
    """Return the message in the data of an error."""
    if not isinstance(data, dict):
        return str(data)
    return str(data.get("message") or data.get("error") or data)


def _describe(error: Exception) -> str:
    if isinstance(error, InvalidStatus):
        return f"HTTP {error.response.status_code}"
    if isinstance(error, TimeoutError):
        return "no answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _without_query(url: str) -> str:
    return url.partition("?")[0]
