"""Client events: what listeners of a channel say to one another, in the server's words on who says it."""

from collections.abc import Iterator
from typing import Any

from realtime import limits, protocol
from realtime.broadcasting import ephemeral
from realtime.broadcasting.messages import Ephemeral
from realtime.channels import Audience, Found
from realtime.channels.authentication import Credentials
from realtime.protocol import Member, Message


def problem(found: Found | None, message: Message) -> str:
    """Return why a client event may not be sent here, or ""."""
    if found is None or not found.pattern.needs_auth or found.pattern.voice(message.event) is None:
        return "This client event may not be sent here."
    if len(message.event) > limits.MAX_EVENT_NAME_LENGTH:
        return f"An event's name has at most {limits.MAX_EVENT_NAME_LENGTH} characters."
    if len(protocol.encode(message.data).encode()) > limits.MAX_EVENT_SIZE:
        return f"An event has at most {limits.MAX_EVENT_SIZE} bytes."
    return ""


def webhook_event(message: Message, socket_id: str, member: Member | None) -> dict[str, Any]:
    """Return what webhooks tell of a client event."""
    data = message.data if isinstance(message.data, str) else protocol.encode(message.data)
    event = {"name": "client_event", "channel": message.channel, "event": message.event, "data": data}
    return event | {"socket_id": socket_id} | ({} if member is None else {"user_id": member.key})


def spoken(
    who: Credentials, found: Found, message: Message, *, member: Member | None, socket_id: str
) -> list[Ephemeral]:
    """Return what the channel layer carries: for each audience the data that the pattern's voice makes."""
    user_id = member.key if member is not None else ""
    messages = []
    for audience, data in _versions(who, found, message):
        frame = protocol.frame(message.event, channel=message.channel, data=protocol.encode(data), user_id=user_id)
        messages.append(ephemeral.message(message.channel, audience, frame, socket_id))
    return messages


def _versions(who: Credentials, found: Found, message: Message) -> Iterator[tuple[Audience, Any]]:
    voice, person = found.pattern.voice(message.event), who.person()
    if person is None and not found.pattern.guests:
        return  # his sign-in has ended, which is not noticed yet
    for audience in Audience if voice is not None else ():
        data = voice(person, audience, data=message.data, **found.parts)  # type: ignore[misc]
        if data is not None:
            yield audience, data
