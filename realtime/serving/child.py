"""A process that the supervisor starts: it says when it serves, and ends when the supervisor is gone."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

START_WITHIN = 60.0  # seconds from the start of a process to its first word
SILENCE = 60.0  # seconds without a word after which a process that speaks each second counts as stuck


class StartFailed(Exception):
    """A process ended before it served, or said nothing for START_WITHIN seconds; what it wrote says why."""


class Child:
    """One process of `realtime.serving`, leading a group of its own.

    It listens on the first of the open sockets `fds`; the others are those of the processes beside it.
    """

    process: asyncio.subprocess.Process

    def __init__(self, kind: str, fds: Sequence[int], *arguments: str, silence: float | None = None) -> None:
        self._kind, self._fds, self._arguments, self._silence = kind, fds, arguments, silence

    def __str__(self) -> str:
        """Name it for the log."""
        return f"Process {self.process.pid} of {self._kind}"

    def another(self) -> "Child":
        """Return the like of it, not started."""
        return Child(self._kind, self._fds, *self._arguments, silence=self._silence)

    async def start(self) -> None:
        """Start it, and return once it serves."""
        self._lifeline, theirs = socket.socketpair()
        self._lifeline.setblocking(False)
        with theirs:
            self.process = await self._spawn(theirs.fileno())
        if not await self._is_heard_within(START_WITHIN):
            await self.end(0)
            raise StartFailed(f"{self} ended before it served.")

    async def ends(self) -> None:
        """Return once it has ended; what is stuck is killed."""
        while await self._is_heard_within(self._silence):
            pass
        self._lifeline.close()
        self._signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self, patience: float) -> None:
        """Ask it to end, if it was started, and make it after so many seconds."""
        if not hasattr(self, "process"):
            return
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.process.wait()
        self._signal(signal.SIGKILL)
        await self.process.wait()

    async def end(self, patience: float) -> None:
        """Stop it, and keep nothing of it: nobody waits for its end, nor for it to serve."""
        await self.stop(patience)
        if hasattr(self, "_lifeline"):
            self._lifeline.close()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if self.process.returncode is None:
                os.kill(
                    self.process.pid, number
                )  # its own method would look whether it has ended, and take the status

    async def _spawn(self, lifeline: int) -> asyncio.subprocess.Process:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.pop("NOTIFY_SOCKET", None)  # what systemd is told is not theirs to tell
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "realtime.serving", self._kind),
            *(word for fd in self._fds for word in ("--fd", str(fd))),
            *("--lifeline", str(lifeline), *self._arguments),
            pass_fds=(*self._fds, lifeline),
            process_group=0,
            env=environment,
        )

    async def _is_heard_within(self, seconds: float | None) -> bool:
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                return bool(await asyncio.get_running_loop().sock_recv(self._lifeline, 64))
        return False
