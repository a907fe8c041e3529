"""Client events: forward what one subscriber sends to the others, with the server's own statement of the sender."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from realtime import limits, protocol
from realtime.broadcasting import ephemeral
from realtime.broadcasting.messages import Ephemeral
from realtime.channels import Audience, Found, find
from realtime.channels.authentication import Credentials
from realtime.protocol import Member, Message, close_codes
from realtime.server.subscriptions import State, Subscription
from realtime.utils.rate_limits import TokenBucket
from realtime.webhooks import outbox

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer


async def forward(socket: "PusherConsumer", message: Message) -> None:
    """Send a client event to the other subscribers of its channel, or reject it ("Client events")."""
    found, subscription = find(message.channel), socket.subscriptions.get(message.channel)
    problem = _find_problem(found, subscription, message)
    if not problem and _exceeds_rate(socket):
        problem = f"A connection sends at most {limits.CLIENT_EVENT_RATE} client events per second."
    if problem or found is None or subscription is None:
        socket.write(protocol.error(close_codes.CLIENT_EVENT_REJECTED, problem))
        return
    member = subscription.member if found.pattern.is_presence else None
    await socket.hub.send_to_layer(
        await socket.hub.queries.run(_prepare, socket.sign_in.credentials, found, message, member, socket.socket_id)
    )


def _find_problem(found: Found | None, subscription: Subscription | None, message: Message) -> str:
    """Return why the event is rejected, or ""."""
    if found is None or not found.pattern.needs_auth or found.pattern.client_event_payload(message.event) is None:
        return "This client event is not allowed on this channel."
    if len(message.event) > limits.MAX_EVENT_NAME_LENGTH:
        return f"An event name has at most {limits.MAX_EVENT_NAME_LENGTH} characters."
    if len(protocol.encode(message.data).encode()) > limits.MAX_EVENT_SIZE:
        return f"An event has at most {limits.MAX_EVENT_SIZE} bytes."
    if subscription is None or subscription.state is not State.ACTIVE:
        return "Subscribe to the channel first."
    return ""


def _exceeds_rate(socket: "PusherConsumer") -> bool:
    if socket.client_event_bucket is None:
        socket.client_event_bucket = TokenBucket(limits.CLIENT_EVENT_RATE, limits.CLIENT_EVENT_RATE)
    return not socket.client_event_bucket.consume()


def _prepare(
    credentials: Credentials, found: Found, message: Message, member: Member | None, socket_id: str
) -> list[Ephemeral]:
    """Queue the webhook event, and return the layer messages. Runs where the database may be read."""
    outbox.enqueue([_webhook_event(message, socket_id, member)])
    user_id = member.key if member is not None else ""
    user = credentials.load_user()
    if user is None and not found.pattern.guests:
        return []  # the session has ended, and the socket is about to be closed
    messages = []
    for audience, data in _payloads(user, found, message):
        frame = protocol.frame(message.event, channel=message.channel, data=protocol.encode(data), user_id=user_id)
        messages.append(ephemeral.message(message.channel, audience, frame, socket_id))
    return messages + _copies(user, found, message, socket_id)


def _copies(user: Any, found: Found, message: Message, socket_id: str) -> list[Ephemeral]:
    """Return the server events that the client event causes on other channels."""
    messages = []
    for copy in found.pattern.client_event_copies(user, message.event, **found.parts):
        frame = protocol.frame(copy.event, channel=copy.channel, data=protocol.encode(copy.data))
        messages.append(ephemeral.message(copy.channel, copy.audience, frame, socket_id))
    return messages


def _webhook_event(message: Message, socket_id: str, member: Member | None) -> dict[str, Any]:
    """Return the webhook event of a client event ("Webhooks")."""
    data = message.data if isinstance(message.data, str) else protocol.encode(message.data)
    event = {"name": "client_event", "channel": message.channel, "event": message.event, "data": data}
    return event | {"socket_id": socket_id} | ({} if member is None else {"user_id": member.key})


def _payloads(user: Any, found: Found, message: Message) -> Iterator[tuple[Audience, Any]]:
    """Yield each audience with the data that the pattern makes for it."""
    make = found.pattern.client_event_payload(message.event)
    if make is None:
        return
    for audience in Audience:
        data = make(user, audience, data=message.data, **found.parts)
        if data is not None:
            yield audience, data
