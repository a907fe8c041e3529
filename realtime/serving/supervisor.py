"""Starts the processes, replaces those that die, and ends or replaces all of them, so that nobody notices."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from realtime.serving.child import SILENCE, Child, StartFailed
from realtime.serving.listeners import BACKLOG

logger = logging.getLogger(__name__)

STEADY = 30.0  # seconds after which a process counts as one that does not die at once
LONGEST_PAUSE = 30.0  # seconds between two tries to start what does


@dataclass(frozen=True)
class Plan:
    """How many processes of sockets and of pages, and the seconds that sending people away takes."""

    sockets: int
    pages: int
    drain: float

    @property
    def patience(self) -> float:
        """Seconds after which a process that was asked to end is killed."""
        return self.drain + 20


class Post:
    """A place that one process after the other takes."""

    def __init__(self, child: Child) -> None:
        self._child = child

    async def begin(self) -> None:
        """Start its first process."""
        await self._child.start()

    async def keep(self) -> None:
        """Have a process here for ever: one that dies is followed by another, later if that dies at once."""
        pause = 1.0
        while True:
            child, began = self._child, asyncio.get_running_loop().time()
            await child.ends()
            if self._child is not child:
                continue  # it was replaced
            logger.error("%s ended (%s); another one takes its place.", child, child.process.returncode)
            is_steady = asyncio.get_running_loop().time() - began > STEADY
            pause = 1.0 if is_steady else min(LONGEST_PAUSE, 2 * pause)
            await self._fill(pause)

    async def replace(self, patience: float) -> None:
        """Have another process serve before this one ends; if none will, this one stays."""
        before, after = self._child, self._child.another()
        try:
            await after.start()
        except StartFailed as failure:
            logger.error("%s %s stays.", failure, before)
            return
        self._child = after
        await before.stop(patience)

    async def end(self, patience: float) -> None:
        """End its process."""
        await self._child.end(patience)

    async def _fill(self, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            self._child = self._child.another()
            try:
                return await self._child.start()
            except StartFailed as failure:
                logger.error("%s", failure)
                pause = min(LONGEST_PAUSE, 2 * pause)


class Supervisor:
    """Serves a plan until SIGTERM or SIGINT; SIGHUP replaces the processes, one by one.

    The listening sockets outlive the processes: whoever connects while one is replaced waits for its successor.
    """

    def __init__(self, listeners: list[socket.socket], plan: Plan) -> None:
        self._listeners, self._plan = listeners, plan
        self._pages: list[Post] = []
        self._sockets: list[Post] = []
        self._is_over = asyncio.Event()
        self._replacing = asyncio.Lock()
        self._replacements: set[asyncio.Task[None]] = set()

    async def run(self, when_ready: Callable[[], None]) -> None:
        """Serve; raise `StartFailed` if that cannot begin."""
        with ExitStack() as stack:
            self._heed_signals()
            try:
                self._pages, self._sockets = self._crew(stack)
                await self._begin()
                when_ready()
                await self._keep()
            finally:
                await self._end()

    def _crew(self, stack: ExitStack) -> tuple[list[Post], list[Post]]:
        """Return the processes of pages and of sockets; with both, the pages are behind the sockets."""
        fds, plan = [listener.fileno() for listener in self._listeners], self._plan
        pages, door = ["--workers", str(plan.pages)], ["--drain", str(plan.drain)]
        pages_fd = fds[0]
        if plan.pages and plan.sockets:
            behind = _unix_listener(stack)
            pages_fd = behind.fileno()
            pages.append("--behind-door")
            door += ["--pages", behind.getsockname()]
        return (
            [Post(Child("pages", [pages_fd], *pages))] if plan.pages else [],
            [Post(Child("sockets", _own_first(fds, n), *door, silence=SILENCE)) for n in range(plan.sockets)],
        )

    async def _begin(self) -> None:
        try:
            async with asyncio.TaskGroup() as together:
                for post in (*self._pages, *self._sockets):
                    together.create_task(post.begin())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._is_over.set)
        loop.add_signal_handler(signal.SIGHUP, self._begin_to_replace)

    async def _keep(self) -> None:
        keepers = [asyncio.create_task(post.keep()) for post in (*self._pages, *self._sockets)]
        await self._is_over.wait()
        for task in (*keepers, *self._replacements):
            task.cancel()

    def _begin_to_replace(self) -> None:
        task = asyncio.create_task(self._replace())
        self._replacements.add(task)
        task.add_done_callback(self._replacements.discard)

    async def _replace(self) -> None:
        async with self._replacing:
            for post in (*self._pages, *self._sockets):
                await post.replace(self._plan.patience)

    async def _end(self) -> None:
        """End the sockets; the pages a while later, when they have answered what came in before through the door."""
        await asyncio.gather(*(post.end(self._plan.patience) for post in self._sockets), self._end_pages())

    async def _end_pages(self) -> None:
        if self._sockets:
            await asyncio.sleep(self._plan.drain)
        for post in self._pages:
            await post.end(self._plan.patience)


def _own_first(fds: list[int], number: int) -> list[int]:
    """Return all of them, beginning with that of process `number`."""
    own = number % len(fds)
    return [*fds[own:], *fds[:own]]


def _unix_listener(stack: ExitStack) -> socket.socket:
    path = Path(stack.enter_context(TemporaryDirectory(prefix="serve-"))) / "pages"
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(str(path))
    listener.listen(BACKLOG)
    return listener
