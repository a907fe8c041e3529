"""Hands committed events to the channel layer: the fast path, which may fail, since the tail reads the log."""

import asyncio
import logging
import threading
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import InMemoryChannelLayer

from realtime import hub

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 2  # seconds; what takes longer is left to the tail
_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def send(messages: list[dict[str, Any]]) -> None:
    """Send each message to its group without waiting, on the loop of this process's sockets or on one of its own."""
    loop = hub.loop_of_this_process()
    if loop is None:
        if not reaches_every_process():
            return  # nobody listens in this process, and the layer reaches no other: the tail tells
        loop = _background_loop()
    asyncio.run_coroutine_threadsafe(_send(messages), loop)


def reaches_every_process() -> bool:
    """Say whether the channel layer does: the one in memory ends with its process."""
    return not isinstance(hub.default_layer(), InMemoryChannelLayer)


async def _send(messages: list[dict[str, Any]]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT), _turn():
            for message in messages:
                await hub.default_layer().group_send(message["group"], message)
    except Exception as error:
        logger.warning("The channel layer took no message (%s): the log's tail tells it.", error or type(error))


def _turn() -> asyncio.Lock:
    """Return what has the events of this loop sent one after the other, in the order in which they were committed."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())


@lru_cache(maxsize=1)
def _background_loop() -> asyncio.AbstractEventLoop:
    """Return this process's publishing loop: one connection for its life, where async_to_sync makes one a call."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="realtime-sender", daemon=True).start()
    return loop
