"""Sends committed events to the channel layer: the fast path, which may fail because the log tailer reads the log.

Messages that are committed while the layer accepts earlier ones travel as one batch for each group, or as one for
every process if there are many groups.
"""

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from weakref import WeakKeyDictionary

from realtime import metrics
from realtime.broadcasting import channel_layer, wake_ups
from realtime.broadcasting.channel_layer import ALL_GROUP, PROCESS_GROUPS
from realtime.broadcasting.messages import Batch, Deliver, Ephemeral, encode

logger = logging.getLogger(__name__)

SEND_TIMEOUT = 2  # seconds
MAX_BATCH = 64  # messages
MAX_BATCH_SIZE = 128 * 1024  # characters of frames
MAX_GROUPS = 8  # with more groups one batch for every process is cheaper than one for each group

Message = Deliver | Ephemeral


def send(messages: Iterable[Message]) -> None:
    """Send each message to its group without waiting, on the hub's loop or else on a background loop."""
    wake_ups.send()
    loop = channel_layer.hub_loop()
    if loop is None:
        if not channel_layer.reaches_every_process():
            return  # this process has no sockets, and the log tailers of the others, just woken, deliver
        loop = _background_loop()
    loop.call_soon_threadsafe(_post, list(messages))


class SendQueue:
    """The messages that one loop has to send, in the order of their commits."""

    def __init__(self) -> None:
        self._pending: list[Message] = []
        self._task: asyncio.Task[None] | None = None

    def post(self, messages: Iterable[Message]) -> None:
        """Queue messages."""
        self._pending += messages
        if self._task is None:
            self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._pending:
                messages, self._pending = self._pending, []
                await _send_batches(messages)
        finally:
            self._task = None


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, SendQueue] = WeakKeyDictionary()


def _post(messages: Iterable[Message]) -> None:
    _queues.setdefault(asyncio.get_running_loop(), SendQueue()).post(messages)


async def _send_batches(messages: Iterable[Message]) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            for message in _batch(messages):
                await channel_layer.default_layer().group_send(message.group, encode(message))
    except Exception as error:
        metrics.failed_layer_sends.inc()
        logger.warning("channel layer send failed error=%r; the log tailer delivers", error)


def _batch(messages: Iterable[Message]) -> Iterator[Message | Batch]:
    """Yield what each group receives; no event overtakes a message to the processes, such as a revocation."""
    for _, run in groupby(messages, lambda message: message.group in PROCESS_GROUPS):
        by_group: dict[str, list[Message]] = defaultdict(list)
        for message in run:
            by_group[message.group].append(message)
        if len(by_group) > MAX_GROUPS:
            by_group = {ALL_GROUP: [message for each in by_group.values() for message in each]}
        for group, each in by_group.items():
            yield from (part[0] if len(part) == 1 else Batch(group, part) for part in _split(each))


def _split(messages: Iterable[Message]) -> Iterator[list[Message]]:
    """Yield the messages in parts that keep to MAX_BATCH and MAX_BATCH_SIZE."""
    part: list[Message] = []
    size = 0
    for message in messages:
        size += len(message.frame)
        if part and (len(part) == MAX_BATCH or size > MAX_BATCH_SIZE):
            yield part
            part, size = [], len(message.frame)
        part.append(message)
    yield part


@lru_cache(maxsize=1)
def _background_loop() -> asyncio.AbstractEventLoop:
    """Return this process's publishing loop: one layer connection for its life; async_to_sync opens one per call."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="realtime-dispatcher", daemon=True).start()
    return loop
