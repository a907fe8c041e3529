"""Other programs that the production server starts beside its workers, keeps running and stops with itself."""

import shlex
import subprocess
import time
from contextlib import suppress
from typing import Final

RESTART_PAUSE: Final = 5.0  # seconds from one start of a program to the next


class Companion:
    """A program, by its words as a shell reads them."""

    def __init__(self, command: str) -> None:
        self._words = shlex.split(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = float("-inf")

    def keep_running(self) -> None:
        """Start the program if it does not run."""
        # poll() also knows of a process that the arbiter has reaped.
        is_running = self._process is not None and self._process.poll() is None
        if not is_running and time.monotonic() - self._started_at >= RESTART_PAUSE:
            self._started_at = time.monotonic()
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL)  # noqa: S603

    def terminate(self) -> None:
        """Ask the program to end; `keep_running` starts it again, with the code on disk."""
        if self._process is not None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until the program has ended, for at most `seconds`."""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
