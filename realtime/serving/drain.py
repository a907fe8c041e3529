"""Sends the people of a process away before it ends: not all in one moment, and so that nobody is missed."""

import asyncio
import random
import time

from channels.db import database_sync_to_async

from realtime.presence import store
from realtime.presence.tracker import GRACE
from realtime.server.hub import Hub
from realtime.webhooks import delivery

STEP = 0.05  # seconds between two looks at who is still here


async def drain(hub: Hub, seconds: float) -> None:
    """Close every socket with 4200, in random order over so many seconds, and let the process go.

    Events are told meanwhile. The seats on presence channels are kept until their people had time to come back
    elsewhere, so that nobody sees them leave.
    """
    hub.is_leaving = True
    await _send_away(hub, time.monotonic() + seconds)
    await _keep_seats(hub)
    await hub.close()
    await database_sync_to_async(_forget)(hub.process)


async def _send_away(hub: Hub, deadline: float) -> None:
    """Send away at each look as many as have everybody gone by the deadline, whoever comes meanwhile included."""
    while hub.sockets:
        looks_left = max(1, round((deadline - time.monotonic()) / STEP))
        present = list(hub.sockets)
        due = len(present) / looks_left + random.random()  # noqa: S311  (a fraction is rounded either way)
        for socket in random.sample(present, min(int(due), len(present))):
            socket.send_away()
        await asyncio.sleep(STEP)


async def _keep_seats(hub: Hub) -> None:
    for _ in range(round((GRACE + 1) / STEP)):
        if hub.presence.keeps_seats:
            await asyncio.sleep(STEP)


def _forget(process: str) -> None:
    try:
        delivery.enqueue(store.forget(process))
    except store.Unavailable:
        return  # its lease runs out by itself
