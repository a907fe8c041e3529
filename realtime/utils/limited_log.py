"""Log lines about what clients do: a hostile or broken one must not fill the log."""

import logging
from typing import Final

from realtime.utils.rate_limits import TokenBucket

LINES_PER_SECOND: Final = 0.2
BURST: Final = 20  # lines


class LimitedLog:
    """Writes at most BURST lines at once and one every five seconds; each line says how many were left out before."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger, self._bucket, self._left_out = logger, TokenBucket(LINES_PER_SECOND, BURST), 0

    def warning(self, event: str, **values: object) -> None:
        """Log an event with its values, quoted, each cut to 200 characters."""
        if not self._bucket.consume():
            self._left_out += 1
            return
        pairs = " ".join(f"{name}={str(value)[:200]!r}" for name, value in values.items())
        self._logger.warning("%s %s left_out=%s", event, pairs, self._left_out)
        self._left_out = 0
