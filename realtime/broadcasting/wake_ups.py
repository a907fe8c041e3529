"""Wake the log tailers of the other processes where no channel layer does: on SQLite without Redis.

All processes then share one machine and the folder of the database. Each server process reads a named pipe beside the
database; a byte in it means that something was committed to the event log. A pipe costs nothing while it is idle, and
a byte that is lost only delays: the tailer reads once per interval in any case
(docs/decisions/0047-wake-other-processes-through-pipes.md).
"""

import asyncio
import logging
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.db import connection

from realtime.broadcasting import channel_layer

logger = logging.getLogger(__name__)

MIN_INTERVAL: Final = 0.05  # seconds between two wake-ups of a process: a burst is read as one
MODE: Final = 0o600

_own: set[Path] = set()  # the pipes of this process, to which its own layer delivers


def folder() -> Path | None:
    """Return the folder of the pipes; None where none are needed, or where processes share no folder."""
    if connection.vendor != "sqlite" or channel_layer.reaches_every_process():
        return None
    if connection.is_in_memory_db():  # type: ignore[attr-defined]  # as only SQLite's has it
        return None
    return Path(f"{connection.settings_dict['NAME']}-servers")


def send() -> None:
    """Wake the other server processes, without waiting; remove the pipes of those that were killed."""
    pipes = folder()
    if pipes is None or not pipes.is_dir():
        return
    for path in pipes.glob("*.pipe"):
        try:
            if path not in _own:
                _write(path)
        except BlockingIOError:  # full of bytes that nothing has read yet
            continue
        except OSError:  # nothing reads from it any more
            with suppress(OSError):
                path.unlink()


def _write(path: Path) -> None:
    pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(pipe, b"\n")
    finally:
        os.close(pipe)


def _new_pipe(path: Path) -> int:
    """Create a named pipe, and return its end to read from. It has its name once it is open: see `send`."""
    new = path.with_suffix(".new")
    os.mkfifo(new, MODE)
    # For writing too: otherwise the end of each writer would be the end of the file.
    pipe = os.open(new, os.O_RDWR | os.O_NONBLOCK)
    new.rename(path)
    return pipe


class WakeUps:
    """The pipe of a server process: calls `wake` on its event loop when another process has published."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._path: Path | None = None
        self._pipe = -1

    def open(self) -> None:
        """Begin to read, if there is a pipe to read from; without, the tailer reads once per interval."""
        pipes = folder()
        if pipes is None:
            return
        path = pipes / f"{uuid.uuid4().hex}.pipe"
        try:
            pipes.mkdir(exist_ok=True)
            self._pipe = _new_pipe(path)
        except OSError as error:
            logger.warning("wake-up pipe unavailable path=%s error=%r; events arrive later", path, str(error))
            return
        self._path = path
        _own.add(path)
        self._loop.add_reader(self._pipe, self._read)

    def close(self) -> None:
        """Remove the pipe."""
        if self._path is not None:
            self._loop.remove_reader(self._pipe)
            os.close(self._pipe)
            self._path.unlink(missing_ok=True)
            _own.discard(self._path)
            self._path = None

    def _read(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._pipe, 4096)
        self._wake()
        self._loop.remove_reader(self._pipe)
        self._loop.call_later(MIN_INTERVAL, self._go_on)

    def _go_on(self) -> None:
        if self._path is not None:
            self._loop.add_reader(self._pipe, self._read)
