"""Send the last event of a cache channel to a new subscriber."""

from contextlib import suppress
from typing import TYPE_CHECKING

from realtime import protocol
from realtime.broadcasting import cached_events
from realtime.channels import Audience
from realtime.server.subscriptions import Subscription
from realtime.utils.circuit_breaker import ServiceUnavailable
from realtime.webhooks import outbox
from realtime.websocket.frames import Frames

if TYPE_CHECKING:
    from realtime.consumers import PusherConsumer


async def send_last_event(socket: "PusherConsumer", subscription: Subscription) -> None:
    """Send the cached event of the subscription's audience, or pusher:cache_miss."""
    channel, audience = subscription.channel, subscription.audience
    if audience is None:
        return
    cached = await socket.hub.queries.run(_read, channel, audience)
    if subscription.audience is audience:
        frame = cached.frame if cached is not None else protocol.cache_miss(channel)
        socket.deliver_presence(channel, Frames(frame))


def _read(channel: str, audience: Audience) -> cached_events.CachedEvent | None:
    with suppress(ServiceUnavailable):
        cached = cached_events.get(channel, audience)
        if cached is None:
            outbox.enqueue([{"name": "cache_miss", "channel": channel}])
        return cached
    return None
