"""Graceful shutdown of a process: its clients reconnect elsewhere, spread over time, and miss nothing."""

import asyncio
import random
import time

from channels.db import database_sync_to_async

from realtime.presence.store import presence_store
from realtime.presence.tracker import RECONNECT_GRACE
from realtime.protocol import close_codes
from realtime.server.hub import Hub
from realtime.utils.circuit_breaker import ServiceUnavailable
from realtime.webhooks import outbox

STEP = 0.05  # seconds


async def drain(hub: Hub, seconds: float) -> None:
    """Close every socket with 4200, in random order over `seconds`, and stop the hub.

    Events are delivered until then. Presence entries stay until their users had time to reconnect to another process,
    so that the others do not see them leave.
    """
    hub.is_draining = True
    await _close_sockets(hub, time.monotonic() + seconds)
    await _keep_presence(hub)
    await hub.close()
    await database_sync_to_async(_forget)(hub.process)


async def _close_sockets(hub: Hub, deadline: float) -> None:
    """Close an equal share at each step, sockets that connect during the drain included."""
    while hub.sockets:
        steps_left = max(1, round((deadline - time.monotonic()) / STEP))
        present = list(hub.sockets)
        due = len(present) / steps_left + random.random()  # noqa: S311  (round up or down at random)
        for socket in random.sample(present, min(int(due), len(present))):
            socket.fail(close_codes.DRAINING)
        await asyncio.sleep(STEP)


async def _keep_presence(hub: Hub) -> None:
    for _ in range(round((RECONNECT_GRACE + 1) / STEP)):
        if hub.presence.keeps_entries:
            await asyncio.sleep(STEP)


def _forget(process: str) -> None:
    try:
        outbox.enqueue(presence_store().remove_process(process))
    except ServiceUnavailable:
        return  # its lease expires
