"""Parse the data that clients send with a signature: channel data and user data."""

from contextlib import suppress
from typing import Any

from realtime import limits
from realtime.protocol.messages import InvalidMessage, Member, Message, encode, is_user_id


class SubscriptionRefused(Exception):
    """A subscription is refused by its rule, its signature or a limit; the text says why."""

    def __init__(self, message: str, *, by: str = "signature") -> None:
        super().__init__(message)
        self.by = by  # as the metric names it


def parse_channel_data(channel_data: str) -> dict[str, Any]:
    """Return the signed data of a subscription, {} if there is none. Raises SubscriptionRefused."""
    if not channel_data:
        return {}
    with suppress(InvalidMessage):
        data = Message("pusher:subscribe", "", channel_data).fields()
        if is_user_id(data.get("user_id")):
            return data
    raise SubscriptionRefused(f"channel_data must have a user_id of at most {limits.MAX_USER_ID_LENGTH} characters.")


def parse_member(channel_data: dict[str, Any]) -> Member | None:
    """Return the member in signed channel data; a numeric id stays a number. Raises SubscriptionRefused."""
    if not channel_data:
        return None
    user_id, info = channel_data["user_id"], channel_data.get("user_info")
    if len(encode(info).encode()) > limits.MAX_USER_INFO_SIZE:
        raise SubscriptionRefused(f"user_info is larger than {limits.MAX_USER_INFO_SIZE} bytes.")
    return Member(user_id, info)


def parse_user_data(text: str) -> dict[str, Any]:
    """Return the signed data of a sign-in: an object with the user's id as a string. Raises InvalidMessage."""
    data = Message("pusher:signin", "", text).fields()
    user_id = data.get("id")
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise InvalidMessage(f"user_data must have a string id of at most {limits.MAX_USER_ID_LENGTH} characters.")
    return data
