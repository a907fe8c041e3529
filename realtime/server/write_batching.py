"""When to write pending events: at once, or in a moment, so that one write carries the events of a burst."""

import time
from collections import deque
from typing import Final

RECENT_WRITES: Final = 4
MAX_WAIT: Final = 1 / 4  # of the duration of the last write


class BatchingPolicy:
    """Decides by the sizes of recent writes: a single event at a time never waits."""

    def __init__(self) -> None:
        self._sizes = deque([0], RECENT_WRITES)  # events of recent writes
        self._duration = 0.0  # seconds of the last write
        self._started_at = 0.0

    def start(self) -> None:
        """Note that the first event of the next write is pending."""
        self._started_at = time.monotonic()

    def allows_write(self, size: int) -> bool:
        """Return whether to write `size` events now: as many as lately are pending, or the wait costs too much."""
        return size >= max(self._sizes) or time.monotonic() - self._started_at >= self._duration * MAX_WAIT

    def record(self, size: int, seconds: float) -> None:
        """Note how many events were written, and how long it took."""
        self._sizes.append(size)
        self._duration = seconds
