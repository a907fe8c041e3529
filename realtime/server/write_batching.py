"""When to write: at once, or in a moment, because events come in numbers and one write serves them all."""

import time
from collections import deque
from typing import Final

LATELY: Final = 4  # writes
WORTH: Final = 1 / 4  # of the time that the last write took: what waiting for more may cost


class BatchingPolicy:
    """What the last writes were like: who is told one event at a time never waits."""

    def __init__(self) -> None:
        self._sizes = deque([0], LATELY)  # events in each of the last writes
        self._took = 0.0  # seconds of the last one
        self._since = 0.0

    def begin(self) -> None:
        """Note that the first event of the next write has come."""
        self._since = time.monotonic()

    def allows(self, size: int) -> bool:
        """Say whether to write `size` events now: as many have come as lately, or the wait is no longer worth it."""
        return size >= max(self._sizes) or time.monotonic() - self._since >= self._took * WORTH

    def wrote(self, size: int, seconds: float) -> None:
        """Note how many events were written, and how long that took."""
        self._sizes.append(size)
        self._took = seconds
