"""Tail the event log: deliver what the channel layer lost."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async

from realtime import metrics
from realtime.broadcasting import event_log
from realtime.conf import config
from realtime.models import Delivery
from realtime.server.last_events import MAX_GROUPS
from realtime.utils.snapshots import Snapshot

if TYPE_CHECKING:
    from realtime.server.hub import Hub

logger = logging.getLogger(__name__)

MAX_AGE = 3  # intervals of the tailer: a read within these makes it current


class LogTailer:
    """Reads what its last snapshot did not see, and delivers what the hub has not delivered yet.

    The work of a read is that of the rows committed since the last one, however long other transactions stay open.
    """

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._snapshot = Snapshot(0)
        self._read_at = 0.0
        self._reading = asyncio.Lock()
        self._wake = asyncio.Event()
        self._next_read = asyncio.Event()  # set after the next attempt

    async def start(self) -> None:
        """Start at the present."""
        self._snapshot = await database_sync_to_async(event_log.current_snapshot)()
        self._hub.mark_delivered(await database_sync_to_async(event_log.recent_deliveries)(self._snapshot))
        known = await database_sync_to_async(event_log.last_positions)(MAX_GROUPS)
        self._hub.last_events.start(self._snapshot, *known)
        self._read_at = time.monotonic()

    @property
    def is_current(self) -> bool:
        """Whether the log was read a moment ago, so that what was committed before is known here."""
        return time.monotonic() - self._read_at < MAX_AGE * config().tail_interval

    def wake(self) -> None:
        """Read now instead of at the next interval."""
        self._wake.set()

    async def read_up_to(self, snapshot: Snapshot) -> Snapshot | None:
        """Return the last snapshot once it is not before `snapshot`; None on timeout or if the tailer is behind.

        Concurrent callers share one read.
        """
        if self._snapshot.is_before(snapshot):
            self.wake()
            await _wait(self._next_read, config().tail_interval)
        return self._snapshot if self.is_current and not self._snapshot.is_before(snapshot) else None

    async def run(self) -> None:
        """Read once per interval, and when woken; an unavailable database is retried."""
        resynced_at = 0.0
        while True:
            await _wait(self._wake, config().tail_interval)
            self._wake.clear()
            this_read, self._next_read = self._next_read, asyncio.Event()
            try:
                await self.read()
                if time.monotonic() - resynced_at >= config().tail_interval:
                    await self._hub.resync_groups()
                    resynced_at = time.monotonic()
            except Exception:
                logger.exception(
                    "log read failed process=%s position=%s; retrying", self._hub.process, self._snapshot.end
                )
            this_read.set()

    async def read(self) -> None:
        """Deliver what was committed since the last read and not delivered yet, in the order of the log."""
        async with self._reading:
            started_at = time.monotonic()
            snapshot, deliveries = await database_sync_to_async(event_log.read_since)(self._snapshot)
            metrics.tailer_seconds.observe(time.monotonic() - started_at)
            self._hub.last_events.add(deliveries, started_at, snapshot.end)
            await self._deliver([row for row in deliveries if self._is_due(row)])
            self._hub.mark_delivered(row.pk for row in deliveries if not self._hub.is_delivered(row.pk))
            await self._acknowledge({row.broadcast_id for row in deliveries})
            self._snapshot, self._read_at = snapshot, started_at
            metrics.tailer_read_at.set_to_current_time()
            self._hub.remove_old({row.pk for row in deliveries})

    def _is_due(self, row: Delivery) -> bool:
        return self._hub.has_subscribers(event_log.group_of(row)) and not self._hub.is_delivered(row.pk)

    async def _deliver(self, rows: list[Delivery]) -> None:
        if not rows:
            return
        broadcasts = await database_sync_to_async(event_log.payloads)(row.broadcast_id for row in rows)
        for row in rows:
            if row.broadcast_id in broadcasts:
                self._hub.deliver(event_log.layer_message(row, broadcasts[row.broadcast_id]), metrics.by_tailer)
                await asyncio.sleep(0)  # let the sockets write
        self._hub.invalidate_groups()

    async def _acknowledge(self, broadcast_ids: set[int]) -> None:
        """Write the receipts of broadcasts, all of whose deliveries were made here, by the layer or the tailer."""
        if not broadcast_ids:
            return
        wanted = await database_sync_to_async(event_log.receipts_wanted)(broadcast_ids)
        if wanted:
            receipts = {pk: self._hub.receipts.pop(pk, 0) for pk in wanted}
            await database_sync_to_async(event_log.write_receipts)(self._hub.process, receipts)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, or for at most `seconds`."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # wait_for would swallow a cancellation
            await event.wait()
