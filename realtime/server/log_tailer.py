"""Follows the log: what the channel layer lost is told all the same."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async

from realtime.broadcasting import event_log
from realtime.conf import config
from realtime.models import Delivery
from realtime.server import last_events

if TYPE_CHECKING:
    from realtime.server.hub import Hub

logger = logging.getLogger(__name__)

CURRENT = 3  # intervals of the tail in which it is read at least once, as long as all is well


class LogTailer:
    """Reads what was committed since its watermark and delivers what the hub has not heard."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._position = 0
        self._read_at = 0.0
        self._reading = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._was_read = asyncio.Event()  # set after the next attempt

    async def start(self) -> None:
        """Begin at the present."""
        self._position = await database_sync_to_async(event_log.watermark)()
        self._hub.take_as_heard(await database_sync_to_async(event_log.recent_reauthorizations)())
        self._hub.recent.begin(*await database_sync_to_async(event_log.last_positions)(last_events.MOST))
        self._read_at = time.monotonic()

    @property
    def is_current(self) -> bool:
        """Whether it was read a moment ago: what was committed before that is known here."""
        return time.monotonic() - self._read_at < CURRENT * config().tail_interval

    def hurry(self) -> None:
        """Read at once instead of in a while."""
        self._wanted.set()

    async def reach(self, position: int) -> int | None:
        """Return up to where the log was read, if that is current and no less than a position; it may be read now.

        Whoever asks while the log is being read shares the next reading.
        """
        if position > self._position:
            self.hurry()
            await _within(config().tail_interval, self._was_read)
        return self._position if self.is_current and position <= self._position else None

    async def run(self) -> None:
        """Read once a second for ever, and when somebody waits for it; a database that is away is asked again."""
        mended_at = 0.0
        while True:
            await _within(config().tail_interval, self._wanted)
            self._wanted.clear()
            was_read, self._was_read = self._was_read, asyncio.Event()
            try:
                await self.read()
                if time.monotonic() - mended_at >= config().tail_interval:
                    await self._hub.mend()
                    mended_at = time.monotonic()
            except Exception:
                logger.exception("The log could not be read; it will be, from where the last reading ended.")
            was_read.set()

    async def read(self) -> None:
        """Deliver what was committed since the last reading and not heard, in the order of the log."""
        async with self._reading:
            begun = time.monotonic()
            position, deliveries = await database_sync_to_async(event_log.read_since)(self._position)
            self._hub.recent.read(deliveries, begun)
            await self._deliver([row for row in deliveries if self._is_news(row)])
            self._hub.take_as_heard(row.pk for row in deliveries if not self._hub.has_heard(row.pk))
            await self._acknowledge({row.broadcast_id for row in deliveries})
            self._position, self._read_at = position, begun
            self._hub.forget_old({row.pk for row in deliveries})

    def _is_news(self, row: Delivery) -> bool:
        return self._hub.hears(event_log.group_of(row)) and not self._hub.has_heard(row.pk)

    async def _deliver(self, rows: list[Delivery]) -> None:
        if not rows:
            return
        broadcasts = await database_sync_to_async(event_log.payloads)(row.broadcast_id for row in rows)
        for row in rows:
            if row.broadcast_id in broadcasts:
                self._hub.deliver(event_log.layer_message(row, broadcasts[row.broadcast_id]))
                await asyncio.sleep(0)  # let the sockets write
        self._hub.doubt_layer()

    async def _acknowledge(self, broadcast_ids: set[int]) -> None:
        """Write receipts: at this point every delivery of these broadcasts was made here, by layer or tail."""
        if not broadcast_ids:
            return
        wanted = await database_sync_to_async(event_log.receipts_wanted)(broadcast_ids)
        if wanted:
            told = {pk: self._hub.told.pop(pk, 0) for pk in wanted}
            await database_sync_to_async(event_log.write_receipts)(self._hub.process, told)


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Return once something has come to pass, or after so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for would swallow a cancellation
            await event.wait()
