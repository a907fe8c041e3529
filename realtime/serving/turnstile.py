"""In front of the history: a few are let in at a time, some wait, others are told when to come again.

When a process of sockets ends, all its pages ask for what they may have missed; whoever opens a page meanwhile is not
to wait behind them.
"""

import asyncio
import random
import time
from collections import deque
from contextlib import suppress
from math import ceil
from typing import Final

from django.urls import NoReverseMatch, reverse

MOST: Final = 2  # inside: half the threads of a process of pages
LINE: Final = 50  # who wait: half a second's work
SPARSE: Final = 0.25  # seconds from one who is let in to the next, while many come back with their sockets
SHORTEST: Final = 2  # seconds after which those who are turned away come again
LONGEST: Final = 30
A_SECOND: Final = 50  # of them are to come again
HALF_LIFE: Final = 10  # seconds after which somebody who was turned away counts for half


def history_path() -> bytes | None:
    """Return the path that a turnstile stands in front of; None where a project has no history."""
    with suppress(NoReverseMatch):
        return reverse("realtime:history").encode()
    return None


class Turnstile:
    """Lets in MOST at a time, on one event loop."""

    def __init__(self) -> None:
        self._free = MOST
        self._line: deque[asyncio.Future[None]] = deque()
        self._entered_at = 0.0
        self._turned_away, self._at = 0.0, time.monotonic()

    async def enter(self, *, is_crowded: bool) -> int | None:
        """Return None to whoever is inside now, until he leaves; to others, how many seconds they are to stay away.

        While it is crowded with people who will learn on their sockets what they missed, hardly anybody is let in.
        """
        now = time.monotonic()
        if len(self._line) >= LINE or (is_crowded and now - self._entered_at < SPARSE):
            return self._turn_away(now)
        self._entered_at = now
        if self._free:
            self._free -= 1
        else:
            await self._wait_in_line()
        return None

    def leave(self) -> None:
        """Give a place to the next in line, or back."""
        while self._line:
            first = self._line.popleft()
            if not first.done():
                first.set_result(None)
                return
        self._free += 1

    async def _wait_in_line(self) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        await place

    def _turn_away(self, now: float) -> int:
        """Count somebody, and return a pause that is not the same for all."""
        self._turned_away = 1 + self._turned_away * 0.5 ** ((now - self._at) / HALF_LIFE)
        self._at = now
        pause = min(LONGEST, max(SHORTEST, self._turned_away / A_SECOND))
        return ceil(random.uniform(0.5, 1) * pause)  # noqa: S311  (it keeps people apart, and no secret)
