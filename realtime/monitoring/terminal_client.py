"""A Pusher client for the terminal: one socket, one channel, and coming back after a break as clients should."""

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
PATIENCE = 10  # seconds to wait for the connection, and for the server's greeting
PONG_PATIENCE = 30  # seconds to wait for the answer to a ping
CLOSE_PATIENCE = 2  # seconds to wait for the other side to say good-bye
ACTIVITY_TIMEOUT = 120  # seconds of silence after which a client asks whether anybody is there (protocol)
UNCLEAN = 1006  # the connection ended without a close frame (RFC 6455, section 7.1.5)
REASONS = {1000: "the server has ended it", 1001: "the server goes", UNCLEAN: "it broke", 1012: "the server restarts"}
DELAYS = (0, 1, 2, 4, 8, 15)  # seconds before the next try, by how many have failed

Sign = Callable[[str], dict[str, str]]


class Refused(Exception):
    """The server does not want this client, and would not if it came back; the text says why."""


class Broken(Exception):
    """The connection ended, and may be made anew after `delay` seconds."""

    def __init__(self, why: str, delay: float = 1) -> None:
        super().__init__(why)
        self.delay = delay


@dataclass(frozen=True)
class Notice:
    """Something about the connection itself."""

    text: str


@dataclass(frozen=True)
class Heard:
    """An event: its data is the value in its JSON text, or the text where it is no JSON."""

    event: str
    channel: str
    data: Any
    event_id: str = ""


def address(base: str, key: str) -> str:
    """Return the WebSocket address of the app `key` at a server, which is named by http or ws."""
    try:
        parts = urlsplit(base)
        is_known = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_known = False
    if not is_known:
        raise ValueError(f"{base} is no address: it begins with ws://, wss://, http:// or https://.")
    path = parts.path.rstrip("/")
    if "/app/" not in path:
        path = f"{path}/app/{key}"
    return urlunsplit((SCHEMES[parts.scheme], parts.netloc, path, QUERY, ""))


class Client:
    """Follows one channel for ever."""

    def __init__(self, url: str, channel: str, sign: Sign) -> None:
        """`sign` answers what /broadcasting/auth would for a socket id: auth, and channel data if any."""
        self._url, self._channel, self._sign = url, channel, sign
        self._was_greeted = self._is_subscribed = False
        self._failures = 0
        self._said = ""

    def follow(self) -> Iterator[Heard | Notice]:
        """Yield what is heard; raise Refused when there is no use in coming back."""
        while True:
            self._is_subscribed, self._said = False, ""
            try:
                yield from self._connected()
            except Broken as error:
                delay = max(error.delay, DELAYS[min(self._failures, len(DELAYS) - 1)])
                self._failures += 1
                yield Notice(f"{error} Trying again {f'in {delay} s' if delay else 'at once'}.")
                time.sleep(delay)

    def _connected(self) -> Iterator[Heard | Notice]:
        with ExitStack() as stack:
            socket = self._open(stack)
            try:
                yield from self._converse(socket)
            except ConnectionClosed as error:
                raise self._ending(error) from None

    def _open(self, stack: ExitStack) -> ClientConnection:
        """Connect; who never reached the server is told so, who did before tries again."""
        options: dict[str, Any] = {"open_timeout": PATIENCE, "close_timeout": CLOSE_PATIENCE, "ping_interval": None}
        try:
            socket: ClientConnection = stack.enter_context(connect(self._url, **options))
            return socket
        except (OSError, WebSocketException, ImportError) as error:
            why = f"There is no WebSocket at {_place(self._url)}: {_problem(error)}."
            raise (Broken(why) if self._was_greeted else Refused(why)) from None

    def _converse(self, socket: ClientConnection) -> Iterator[Heard | Notice]:
        greeting = self._greeting(socket)
        self._was_greeted = True
        subscription = {"channel": self._channel, **self._sign(str(greeting.get("socket_id")))}
        socket.send(protocol.encode({"event": "pusher:subscribe", "data": subscription}))
        timeout = greeting.get("activity_timeout")
        for frame in _frames(socket, timeout if isinstance(timeout, int) and timeout > 0 else ACTIVITY_TIMEOUT):
            yield from self._understand(str(frame.get("event")), frame)

    def _greeting(self, socket: ClientConnection) -> dict[str, Any]:
        """Read the first frame: the greeting, or why there is none and then the end."""
        try:
            while True:
                frame = _decode(socket.recv(PATIENCE))
                data = _value(frame.get("data"))
                if frame.get("event") == "pusher:connection_established" and isinstance(data, dict):
                    return data
                if frame.get("event") != "pusher:error":
                    raise Refused(f"What answers at {_place(self._url)} does not speak the Pusher protocol.")
                self._said = _message(data)
        except TimeoutError:
            raise Broken("The server took the connection, but said nothing.") from None

    def _understand(self, event: str, frame: dict[str, Any]) -> Iterator[Heard | Notice]:
        data = _value(frame.get("data"))
        if event == "pusher_internal:subscription_succeeded":
            yield Notice("Admitted anew: what may be heard has changed." if self._is_subscribed else "Listening.")
            self._is_subscribed, self._failures = True, 0
        elif event == "pusher:subscription_error":
            raise Refused(f"{'Cut' if self._is_subscribed else 'Refused'}: {_message(data)}")
        elif event == "pusher:error":
            self._said = _message(data)
            yield Notice(f"The server says: {self._said}")
        elif event != "pusher:pong":
            yield Heard(event, str(frame.get("channel", "")), data, str(frame.get("event_id", "")))

    def _ending(self, error: ConnectionClosed) -> Broken | Refused:
        """Return what a close code asks of a client (protocol, "Error codes")."""
        code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (UNCLEAN, "")
        why = f"The connection was closed ({code}): {self._said or reason or REASONS.get(code, 'no reason given')}"
        why = why if why.endswith(".") else f"{why}."
        if code < 4000 or 4100 <= code < 4200:
            return Broken(why)
        return Broken(why, delay=0) if 4200 <= code < 4300 else Refused(why)


def _frames(socket: ClientConnection, activity_timeout: float) -> Iterator[dict[str, Any]]:
    """Yield frames; answer pings, and ask after `activity_timeout` seconds of silence whether anybody is there."""
    while True:
        try:
            text = socket.recv(activity_timeout)
        except TimeoutError:
            text = _after_ping(socket)
        frame = _decode(text)
        if frame.get("event") == "pusher:ping":
            socket.send(protocol.frame("pusher:pong", data="{}"))
        else:
            yield frame


def _after_ping(socket: ClientConnection) -> str | bytes:
    socket.send(protocol.frame("pusher:ping", data="{}"))
    try:
        return socket.recv(PONG_PATIENCE)
    except TimeoutError:
        raise Broken("The server does not answer a ping.", delay=0) from None


def _decode(text: str | bytes) -> dict[str, Any]:
    """Return a frame; what is none is an event without a name."""
    frame = _value(text)
    return frame if isinstance(frame, dict) else {}


def _value(text: Any) -> Any:
    """Return the value in JSON text, or what was given where it is no JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


def _message(data: Any) -> str:
    """Return what the data of an error says."""
    if not isinstance(data, dict):
        return str(data)
    return str(data.get("message") or data.get("error") or data)


def _problem(error: Exception) -> str:
    """Say in words why there is no connection."""
    if isinstance(error, InvalidStatus):
        return f"it answers HTTP {error.response.status_code}"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _place(url: str) -> str:
    return url.partition("?")[0]
