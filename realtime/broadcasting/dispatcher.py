"""Hands committed events to the channel layer: the fast path, which may fail, since the tail reads the log.

What is committed while the layer takes what came before goes along as one bundle for each group, or for every process
where the groups are many.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any
from weakref import WeakKeyDictionary

from channels.layers import InMemoryChannelLayer

from realtime.server import hub

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 2  # seconds; what takes longer is left to the tail
BUNDLED = 64  # messages that travel as one
BUNDLE_SIZE = 128 * 1024  # characters of their frames
MANY = 8  # groups, for which a bundle each costs more than that every process hears of all
Message = dict[str, Any]


def send(messages: list[Message]) -> None:
    """Send each message to its group without waiting, on the loop of this process's sockets or on one of its own."""
    loop = hub.loop_of_this_process()
    if loop is None:
        if not reaches_every_process():
            return  # nobody listens in this process, and the layer reaches no other: the tail tells
        loop = _background_loop()
    loop.call_soon_threadsafe(_post, messages)


def reaches_every_process() -> bool:
    """Say whether the channel layer does: the one in memory ends with its process."""
    return not isinstance(hub.default_layer(), InMemoryChannelLayer)


class SendQueue:
    """What a loop has to send, in the order in which it was committed."""

    def __init__(self) -> None:
        self._waiting: list[Message] = []
        self._task: asyncio.Task[None] | None = None

    def post(self, messages: Iterable[Message]) -> None:
        """Send messages behind those that were posted before."""
        self._waiting += messages
        if self._task is None:
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._waiting:
                messages, self._waiting = self._waiting, []
                await _hand_over(messages)
        finally:
            self._task = None


_outboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, SendQueue] = WeakKeyDictionary()


def _post(messages: list[Message]) -> None:
    _outboxes.setdefault(asyncio.get_running_loop(), SendQueue()).post(messages)


async def _hand_over(messages: list[Message]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            for bundle in _bundles(messages):
                await hub.default_layer().group_send(bundle["group"], bundle)
    except Exception as error:
        logger.warning("The channel layer took no message (%s): the log's tail tells it.", error or type(error))


def _bundles(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield what each group is told; nothing overtakes what is told to the processes themselves, a revocation say."""
    for _, run in groupby(messages, lambda message: message["group"] in hub.OWN_GROUPS):
        told: dict[str, list[Message]] = defaultdict(list)
        for message in run:
            told[message["group"]].append(message)
        if len(told) > MANY:
            told = {hub.ALL_GROUP: [message for each in told.values() for message in each]}
        for group, each in told.items():
            for part in _cut(each):
                yield part[0] if len(part) == 1 else {"type": "realtime.bundle", "group": group, "messages": part}


def _cut(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield the messages in parts that are not too large."""
    part: list[Message] = []
    size = 0
    for message in messages:
        size += len(message["frame"])
        if part and (len(part) == BUNDLED or size > BUNDLE_SIZE):
            yield part
            part, size = [], len(message["frame"])
        part.append(message)
    yield part


@lru_cache(maxsize=1)
def _background_loop() -> asyncio.AbstractEventLoop:
    """Return this process's publishing loop: one connection for its life, where async_to_sync makes one a call."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="realtime-sender", daemon=True).start()
    return loop
