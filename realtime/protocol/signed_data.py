"""The data that clients bring with a signature: whom they name, in the bounds of the protocol."""

from contextlib import suppress
from typing import Any

from realtime import limits, protocol
from realtime.protocol import Member, Message


class Refused(Exception):
    """A subscription that the rule, the signature or a limit forbids; the text says why."""


def of_channel(channel_data: str) -> dict[str, Any]:
    """Return what was signed beside the channel; if there is anything, it names a user."""
    if not channel_data:
        return {}
    with suppress(protocol.InvalidMessage):
        data = Message("pusher:subscribe", "", channel_data).fields()
        if protocol.is_user_id(data.get("user_id")):
            return data
    raise Refused(f"The channel data names no user_id of at most {limits.MAX_USER_ID_LENGTH} characters.")


def member(data: dict[str, Any]) -> Member | None:
    """Return whom signed data of a presence channel show: numbers stay numbers."""
    if not data:
        return None
    user_id, info = data["user_id"], data.get("user_info")
    if len(protocol.encode(info).encode()) > limits.MAX_USER_INFO_SIZE:
        raise Refused(f"The user_info is over {limits.MAX_USER_INFO_SIZE} bytes.")
    return Member(user_id, info)


def of_user(text: str) -> dict[str, Any]:
    """Return the signed data of a sign-in: an object with the id of the user, as text."""
    data = Message("pusher:signin", "", text).fields()
    user_id = data.get("id")
    if not isinstance(user_id, str) or not protocol.is_user_id(user_id):
        raise protocol.InvalidMessage(f"The user data have an id of at most {limits.MAX_USER_ID_LENGTH} characters.")
    return data
