"""Pusher Channels protocol, version 7: messages and signatures as pure functions, no I/O."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.limits import MAX_USER_ID_LENGTH

SOCKET_ID = re.compile(r"\d{1,20}\.\d{1,20}", re.ASCII)
USER_ID = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_USER_ID_LENGTH}}}")

# Close and error codes (protocol, "Error codes").
NO_SUCH_APP: Final = 4001
APP_DISABLED: Final = 4003
PATH_NOT_FOUND: Final = 4005
INVALID_VERSION: Final = 4006
UNSUPPORTED_PROTOCOL: Final = 4007
UNAUTHORIZED: Final = 4009
OVER_CAPACITY: Final = 4100
GENERIC_RECONNECT: Final = 4200
PONG_NOT_RECEIVED: Final = 4201
CLIENT_EVENT_REJECTED: Final = 4301
WATCHLIST_TOO_LONG: Final = 4302
UNSUPPORTED_DATA: Final = 1003

OLDEST_PROTOCOL, NEWEST_PROTOCOL = 5, 7

PUBLIC: Final = ""
PRESENCE: Final = "presence-"
# How a channel's name says of which type it is: the longest that fits ("Channel naming conventions").
CHANNEL_TYPES = (
    "private-encrypted-cache-",
    "private-encrypted-",
    "private-cache-",
    "private-",
    "presence-cache-",
    PRESENCE,
    "cache-",
)
MAX_DEPTH: Final = 64  # levels of a message's JSON
SERVER_TO_USER: Final = "#server-to-user-"
CLIENT_EVENT: Final = "client-"
MISSED: Final = "realtime:missed"  # ours: asks, and answers, whether anything was told since a cursor


class InvalidMessage(Exception):
    """A client's frame that is not a Pusher message; the text says why."""


@dataclass(frozen=True)
class Message:
    """One frame of a client: `data` is what JSON made of it, mostly an object."""

    event: str
    channel: str
    data: Any

    def fields(self) -> dict[str, Any]:
        """Return the data as an object; it may have come as its JSON text, or not at all."""
        data = self.data or {}
        if isinstance(data, str):
            data = _object(data, "Data is a JSON object.")
        if not isinstance(data, dict):
            raise InvalidMessage("Data is a JSON object.")
        return data


@dataclass(frozen=True)
class Member:
    """A person on a presence channel: the id is text or a number, the info is any JSON."""

    id: str | int
    info: Any = None

    @property
    def key(self) -> str:
        """The id as it names the member in an object."""
        return str(self.id)


def channel_type(name: str) -> str:
    """Return the prefix that says of which type a channel is; "" for public ones."""
    return next((prefix for prefix in CHANNEL_TYPES if name.startswith(prefix)), PUBLIC)


def new_socket_id() -> str:
    """Return an unguessable socket id: signatures are bound to it."""
    return f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**10)}"


def encode(value: Any) -> str:
    """Return compact JSON; a ValueError where it has none, as for NaN: browsers could not read the whole frame."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def is_user_id(value: Any) -> bool:
    """Say whether a value can be a user's id: a whole number, or text without control and half characters.

    Ids are keys of the census and parts of channels' names.
    """
    is_one = isinstance(value, int | str) and not isinstance(value, bool)
    return is_one and USER_ID.fullmatch(str(value)) is not None


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """Return a field that is text, "" where it is missing; raise InvalidMessage for anything else."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(f"{name} is text.")
    return value or ""


def frame(event: str, *, channel: str = "", data: str | None = None, event_id: str = "", user_id: str = "") -> str:
    """Return the text of one server frame; `data` is JSON text and stays a string (double encoding)."""
    message = {"event": event, "channel": channel, "data": data, "event_id": event_id, "user_id": user_id}
    return encode({key: value for key, value in message.items() if value})


def connection_established(socket_id: str, activity_timeout: float) -> str:
    """Return the first frame of a connection; the time-out is in whole seconds."""
    data = {"socket_id": socket_id, "activity_timeout": int(activity_timeout)}
    return frame("pusher:connection_established", data=encode(data))


def error(code: int, message: str) -> str:
    """Return a pusher:error frame."""
    return frame("pusher:error", data=encode({"code": code, "message": message}))


def missed(question: str, cursor: str | None) -> str:
    """Return the answer to whoever asks, by an id, what he has missed: where to go on if nothing, else null."""
    return frame(MISSED, data=encode({"id": question, "cursor": cursor}))


def subscription_succeeded(channel: str, members: Mapping[str, Member] | None = None) -> str:
    """Return the answer to a subscription that was accepted; presence channels tell who is there."""
    data = {} if members is None else {"presence": _presence(members)}
    return frame("pusher_internal:subscription_succeeded", channel=channel, data=encode(data))


def _presence(members: Mapping[str, Member]) -> dict[str, Any]:
    return {
        "count": len(members),
        "ids": [member.id for member in members.values()],
        "hash": {key: member.info for key, member in members.items()},
    }


def member_added(channel: str, member: Member) -> str:
    """Return what the others on a presence channel are told when a person comes."""
    data = {"user_id": member.id, "user_info": member.info}
    return frame("pusher_internal:member_added", channel=channel, data=encode(data))


def member_removed(channel: str, member: Member) -> str:
    """Return what the others on a presence channel are told when a person's last socket is gone."""
    return frame("pusher_internal:member_removed", channel=channel, data=encode({"user_id": member.id}))


def subscription_count(channel: str, count: int) -> str:
    """Return what tells how many sockets hear a channel."""
    data = encode({"subscription_count": count})
    return frame("pusher_internal:subscription_count", channel=channel, data=data)


def cache_miss(channel: str) -> str:
    """Return what tells a new subscriber of a cache channel that nothing is remembered."""
    return frame("pusher:cache_miss", channel=channel)


def signin_success(user_data: str) -> str:
    """Return the answer to a sign-in; the user data goes back as it came."""
    return frame("pusher:signin_success", data=encode({"user_data": user_data}))


def watchlist_events(online: Sequence[str], offline: Sequence[str]) -> str:
    """Return what tells a signed-in person which of those on his watch-list have come or gone."""
    named = (("online", online), ("offline", offline))
    events = [{"name": name, "user_ids": list(user_ids)} for name, user_ids in named if user_ids]
    return frame("pusher_internal:watchlist_events", data=encode({"events": events}))


def subscription_error(channel: str, status: int, reason: str) -> str:
    """Return the answer to a subscription that was refused or has ended: Echo's `.error()` hears it."""
    data = {"type": "AuthError", "error": reason, "status": status}
    return frame("pusher:subscription_error", channel=channel, data=encode(data))


def parse(text: str) -> Message:
    """Return what a client's frame says."""
    message = _object(text, "A message is a JSON object.")
    event, channel = message.get("event"), message.get("channel", "")
    if not isinstance(event, str) or not event:
        raise InvalidMessage("A message has an event name.")
    if not isinstance(channel, str):
        raise InvalidMessage("A channel's name is text.")
    return Message(event, channel, message.get("data"))


def signature(secret: str, *parts: str) -> str:
    """Return the hexadecimal HMAC SHA256 of the parts, joined by colons."""
    return hmac.new(secret.encode(), ":".join(parts).encode(), hashlib.sha256).hexdigest()


def channel_auth(key: str, secret: str, socket_id: str, channel: str, channel_data: str = "") -> str:
    """Return the `auth` of a subscription: socket id, channel and, if there is one, the channel data are signed."""
    return f"{key}:{signature(secret, *_signed(socket_id, channel, channel_data))}"


def carrying(auth: str, channel_data: str) -> str:
    """Return an `auth` that brings along what it signs: many clients hand on nothing else of a private channel."""
    return f"{auth}:{base64.urlsafe_b64encode(channel_data.encode()).decode()}"


def carried(auth: str, channel_data: str) -> tuple[str, str]:
    """Return the plain `auth` and the channel data of a subscription: those in the `auth`, else those beside it."""
    parts = auth.split(":")
    if len(parts) != 3:
        return auth, channel_data
    key, signature_, data = parts
    try:
        return f"{key}:{signature_}", base64.b64decode(data, b"-_", validate=True).decode()
    except ValueError:  # it is no base64, or what it stands for is no text
        return auth, channel_data


def user_auth(key: str, secret: str, socket_id: str, user_data: str) -> str:
    """Return the `auth` of a sign-in: socket id and user data are signed ("User authentication")."""
    return f"{key}:{signature(secret, socket_id, '', 'user', '', user_data)}"


def is_authentic(
    auth: str, key: str, secrets_: Iterable[str], socket_id: str, channel: str, channel_data: str = ""
) -> bool:
    """Say whether `auth` was signed by one of the secrets for exactly this key, socket, channel and data."""
    genuine = (channel_auth(key, secret, socket_id, channel, channel_data) for secret in secrets_)
    return _is_one_of(auth, genuine)


def is_authentic_user(auth: str, key: str, secrets_: Iterable[str], socket_id: str, user_data: str) -> bool:
    """Say whether `auth` was signed by one of the secrets for exactly this key, socket and user data."""
    return _is_one_of(auth, (user_auth(key, secret, socket_id, user_data) for secret in secrets_))


def _is_one_of(auth: str, genuine: Iterable[str]) -> bool:
    given = auth.encode(errors="replace")
    return any(hmac.compare_digest(given, each.encode()) for each in genuine)


def _signed(socket_id: str, channel: str, channel_data: str) -> list[str]:
    return [socket_id, channel, channel_data] if channel_data else [socket_id, channel]


def _object(text: str, complaint: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        encode(value).encode()
    except (ValueError, RecursionError):  # a lone surrogate is a ValueError too
        raise InvalidMessage(complaint) from None
    if not isinstance(value, dict) or _is_too_deep(value):
        raise InvalidMessage(complaint)
    return value


def _is_too_deep(value: Any) -> bool:
    """Say whether JSON is nested so deep that whoever encodes it again, on a fuller stack, might fail."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
