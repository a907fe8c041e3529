"""Hands committed events to the channel layer: the fast path, which may fail, since the tail reads the log."""

import asyncio
import logging
import threading
from functools import lru_cache
from typing import Any

from channels.layers import InMemoryChannelLayer

from realtime import hub
from realtime.models import Broadcast, Delivery

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 2  # seconds; what takes longer is left to the tail

Message = tuple[str, dict[str, Any]]


def message(delivery: Delivery, broadcast: Broadcast) -> Message:
    """Return (group, layer message); the frame in it is finished Pusher text, the same for every socket."""
    body = {
        "type": "realtime.deliver",
        "group": delivery.group,
        "id": delivery.pk,
        "broadcast": broadcast.pk,
        "frame": delivery.frame(broadcast),
    }
    return delivery.group, body


def send(messages: list[Message]) -> None:
    """Send to the groups without waiting: on the loop of this process's sockets, else on one long-lived loop."""
    loop = hub.loop_of_this_process()
    if loop is None:
        if isinstance(hub.default_layer(), InMemoryChannelLayer):
            return  # nobody listens in this process, and the layer reaches no other: the tail tells
        loop = _background_loop()
    asyncio.run_coroutine_threadsafe(_send(messages), loop)


async def _send(messages: list[Message]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            for group, body in messages:
                await group_send(group, body)
    except Exception as error:
        logger.warning("The channel layer took no message (%s): the log's tail tells it.", error or type(error))


async def group_send(group: str, body: dict[str, Any]) -> None:
    """Send one message to one group of the default channel layer."""
    await hub.default_layer().group_send(group, body)


@lru_cache(maxsize=1)
def _background_loop() -> asyncio.AbstractEventLoop:
    """Return this process's publishing loop: one connection for its life, where async_to_sync makes one a call."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="realtime-sender", daemon=True).start()
    return loop
