"""Messages of Pusher Channels protocol 7: parse the client's, build the server's."""

import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from realtime.limits import MAX_USER_ID_LENGTH

SOCKET_ID = re.compile(r"\d{1,20}\.\d{1,20}", re.ASCII)
USER_ID = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{MAX_USER_ID_LENGTH}}}")

OLDEST_PROTOCOL, NEWEST_PROTOCOL = 5, 7

PUBLIC: Final = ""
PRESENCE: Final = "presence-"
# Prefixes that state a channel's type; the longest match counts ("Channel naming conventions").
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
MISSED: Final = "realtime:missed"  # our extension: asks, and answers, whether a client missed events since a cursor


class InvalidMessage(Exception):
    """A client frame is not a valid Pusher message; the text says why."""


@dataclass(frozen=True)
class Message:
    """A client frame; `data` is decoded JSON, usually an object."""

    event: str
    channel: str
    data: Any

    def fields(self) -> dict[str, Any]:
        """Return the data as an object; clients may send it as JSON text, or omit it."""
        data = self.data or {}
        if isinstance(data, str):
            data = _object(data, "data must be a JSON object.")
        if not isinstance(data, dict):
            raise InvalidMessage("data must be a JSON object.")
        return data


@dataclass(frozen=True)
class Member:
    """A member of a presence channel: the id is text or a number, the info is any JSON."""

    id: str | int
    info: Any = None

    @property
    def key(self) -> str:
        """The id as text: the key of the member in JSON objects."""
        return str(self.id)


def channel_type(name: str) -> str:
    """Return the prefix that states the type of a channel; "" for a public one."""
    return next((prefix for prefix in CHANNEL_TYPES if name.startswith(prefix)), PUBLIC)


def new_socket_id() -> str:
    """Return an unguessable socket id; signatures are bound to it."""
    return f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**10)}"


def encode(value: Any) -> str:
    """Return compact JSON. Raises ValueError for NaN and infinities, which browsers cannot parse."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def is_user_id(value: Any) -> bool:
    """Return whether `value` is valid as a user id: an integer, or text without control characters and surrogates.

    Ids are keys of the presence store and parts of channel names.
    """
    is_id = isinstance(value, int | str) and not isinstance(value, bool)
    return is_id and USER_ID.fullmatch(str(value)) is not None


def text_field(fields: Mapping[str, Any], name: str) -> str:
    """Return a text field, "" if it is missing. Raises InvalidMessage for any other type."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidMessage(f"{name} must be a string.")
    return value or ""


def frame(event: str, *, channel: str = "", data: str | None = None, event_id: str = "", user_id: str = "") -> str:
    """Return the text of one server frame; `data` is JSON text and stays a string ("Double encoding")."""
    message = {"event": event, "channel": channel or None, "data": data}
    message |= {"event_id": event_id or None, "user_id": user_id or None}
    return encode({key: value for key, value in message.items() if value is not None})


def connection_established(socket_id: str, activity_timeout: float) -> str:
    """Return the first frame of a connection; the timeout is in whole seconds."""
    data = {"socket_id": socket_id, "activity_timeout": int(activity_timeout)}
    return frame("pusher:connection_established", data=encode(data))


def error(code: int, message: str) -> str:
    """Return a pusher:error frame."""
    return frame("pusher:error", data=encode({"code": code, "message": message}))


def missed_answer(request_id: str, cursor: str | None) -> str:
    """Return the answer to `realtime:missed`: a cursor if the client missed nothing, null to ask the history."""
    return frame(MISSED, data=encode({"id": request_id, "cursor": cursor}))


def subscription_succeeded(channel: str, members: Mapping[str, Member] | None = None) -> str:
    """Return the answer to an accepted subscription; on a presence channel it lists the members."""
    data = {} if members is None else {"presence": _presence(members)}
    return frame("pusher_internal:subscription_succeeded", channel=channel, data=encode(data))


def _presence(members: Mapping[str, Member]) -> dict[str, Any]:
    return {
        "count": len(members),
        "ids": [member.id for member in members.values()],
        "hash": {key: member.info for key, member in members.items()},
    }


def member_added(channel: str, member: Member) -> str:
    """Return the frame for the other members of a presence channel when a member joins."""
    data = {"user_id": member.id, "user_info": member.info}
    return frame("pusher_internal:member_added", channel=channel, data=encode(data))


def member_removed(channel: str, member: Member) -> str:
    """Return the frame for the other members of a presence channel when the last socket of a member leaves."""
    return frame("pusher_internal:member_removed", channel=channel, data=encode({"user_id": member.id}))


def subscription_count(channel: str, count: int) -> str:
    """Return the frame that states how many sockets are subscribed to a channel."""
    data = encode({"subscription_count": count})
    return frame("pusher_internal:subscription_count", channel=channel, data=data)


def cache_miss(channel: str) -> str:
    """Return the frame for a new subscriber of a cache channel without a cached event."""
    return frame("pusher:cache_miss", channel=channel, data="{}")


def signin_success(user_data: str) -> str:
    """Return the answer to a sign-in; the user data is returned unchanged."""
    return frame("pusher:signin_success", data=encode({"user_data": user_data}))


def watchlist_events(online: Sequence[str], offline: Sequence[str]) -> str:
    """Return the frame that reports to a signed-in user which users of their watchlist went online or offline."""
    named = (("online", online), ("offline", offline))
    events = [{"name": name, "user_ids": list(user_ids)} for name, user_ids in named if user_ids]
    return frame("pusher_internal:watchlist_events", data=encode({"events": events}))


def subscription_error(channel: str, status: int, reason: str) -> str:
    """Return the answer to a subscription that was refused or has ended; Echo passes it to `.error()`."""
    data = {"type": "AuthError", "error": reason, "status": status}
    return frame("pusher:subscription_error", channel=channel, data=encode(data))


def parse(text: str) -> Message:
    """Parse a client frame. Raises InvalidMessage."""
    message = _object(text, "A message must be a JSON object.")
    event, channel = message.get("event"), message.get("channel")
    if not isinstance(event, str) or not event:
        raise InvalidMessage("event must be a non-empty string.")
    if not isinstance(channel, str | None):
        raise InvalidMessage("channel must be a string.")
    return Message(event, channel or "", message.get("data"))


def _object(text: str, error_message: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        encode(value).encode()
    except (ValueError, RecursionError):  # a lone surrogate is a ValueError too
        raise InvalidMessage(error_message) from None
    if not isinstance(value, dict) or _is_too_deep(value):
        raise InvalidMessage(error_message)
    return value


def _is_too_deep(value: Any) -> bool:
    """Return whether JSON is nested so deep that encoding it again, on a deeper stack, might fail."""
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
