"""Pusher Channels protocol, version 7: messages and signatures as pure functions, no I/O."""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from typing import Any, Final

SOCKET_ID = re.compile(r"\d{1,20}\.\d{1,20}")

# Close and error codes (protocol, "Error codes").
PATH_NOT_FOUND: Final = 4005
NO_SUCH_APP: Final = 4001
UNSUPPORTED_PROTOCOL: Final = 4007
UNAUTHORIZED: Final = 4009
OVER_CAPACITY: Final = 4100
GENERIC_RECONNECT: Final = 4200
PONG_NOT_RECEIVED: Final = 4201
CLIENT_EVENT_REJECTED: Final = 4301
UNSUPPORTED_DATA: Final = 1003

OLDEST_PROTOCOL, NEWEST_PROTOCOL = 5, 7


class InvalidMessage(Exception):
    """A client's frame that is not a Pusher message; the text says why."""


def new_socket_id() -> str:
    """Return an unguessable socket id: signatures are bound to it."""
    return f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**10)}"


def encode(value: Any) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def frame(event: str, *, channel: str | None = None, data: str | None = None, event_id: str = "") -> str:
    """Return the text of one server frame; `data` is JSON text and stays a string (double encoding)."""
    message = {"event": event, "channel": channel, "data": data, "event_id": event_id}
    return encode({key: value for key, value in message.items() if value})


def connection_established(socket_id: str, activity_timeout: float) -> str:
    """Return the first frame of a connection; the time-out is in whole seconds."""
    data = {"socket_id": socket_id, "activity_timeout": int(activity_timeout)}
    return frame("pusher:connection_established", data=encode(data))


def error(code: int, message: str) -> str:
    """Return a pusher:error frame."""
    return frame("pusher:error", data=encode({"code": code, "message": message}))


def subscription_succeeded(channel: str) -> str:
    """Return the answer to a subscription that was accepted."""
    return frame("pusher_internal:subscription_succeeded", channel=channel, data="{}")


def subscription_error(channel: str, status: int, reason: str) -> str:
    """Return the answer to a subscription that was refused or has ended: Echo's `.error()` hears it."""
    data = {"type": "AuthError", "error": reason, "status": status}
    return frame("pusher:subscription_error", channel=channel, data=encode(data))


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """Return event name and data of a client's frame; data may be an object or its JSON text."""
    message = _object(text, "A message is a JSON object.")
    event = message.get("event")
    if not isinstance(event, str) or not event:
        raise InvalidMessage("A message has an event name.")
    data = message.get("data") or {}
    if isinstance(data, str):
        data = _object(data, "Data is a JSON object.")
    if not isinstance(data, dict):
        raise InvalidMessage("Data is a JSON object.")
    return event, data


def signature(secret: str, *parts: str) -> str:
    """Return the hexadecimal HMAC SHA256 of the parts, joined by colons."""
    return hmac.new(secret.encode(), ":".join(parts).encode(), hashlib.sha256).hexdigest()


def channel_auth(key: str, secret: str, socket_id: str, channel: str, channel_data: str = "") -> str:
    """Return the `auth` of a subscription: socket id, channel and, if there is one, the channel data are signed."""
    return f"{key}:{signature(secret, *_signed(socket_id, channel, channel_data))}"


def is_authentic(
    auth: str, key: str, secrets_: Iterable[str], socket_id: str, channel: str, channel_data: str = ""
) -> bool:
    """Say whether `auth` was signed by one of the secrets for exactly this key, socket, channel and data."""
    given = auth.encode()
    return any(
        hmac.compare_digest(given, channel_auth(key, secret, socket_id, channel, channel_data).encode())
        for secret in secrets_
    )


def _signed(socket_id: str, channel: str, channel_data: str) -> list[str]:
    return [socket_id, channel, channel_data] if channel_data else [socket_id, channel]


def _object(text: str, complaint: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        encode(value).encode()
    except (ValueError, RecursionError):  # a lone surrogate is a ValueError too
        raise InvalidMessage(complaint) from None
    if not isinstance(value, dict):
        raise InvalidMessage(complaint)
    return value
