"""Inject faults by a seeded schedule while users work, and repair them."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.faults.conftest import Desk
from tests.faults.pages import Pages
from tests.faults.writer_process import Writing
from tests.integration.servers.serve import Serve

TWICE = 2  # each kind at least so often
SHARE_CUT = 0.5  # of the pages' sockets at a time
YOUNG = 6.0  # seconds that a process has to begin to serve before it is a victim
LATER = 0.5  # seconds until a fault is tried again that found no victim


class Saboteur:
    """Knows how to break each thing; what it breaks for a while overlaps with what it breaks next."""

    kinds = (
        "redis_killed", "pubsub_cut", "database_cut", "worker_killed", "worker_drained", "worker_stalled",
        "lines_cut", "writer_killed",
    )  # fmt: skip

    def __init__(self, desk: Desk, server: Serve, pages: Pages, seed: str, *, rate: float) -> None:
        self._desk, self._server, self._pages = desk, server, pages
        self._random, self._rate = Random(seed), rate
        self._agenda: list[tuple[float, Callable[[], None]]] = []
        self.done: Counter[str] = Counter()
        self.writing = self._hire()
        self.writing.wait_until_begun()

    def run(self, seconds: float, *, pause: float) -> None:
        """Do every kind in random order, again and again, about so many seconds apart; then undo what is left."""
        schedule = self._schedule(max(TWICE, round(seconds / pause / len(self.kinds))))
        for number, (kind, chance) in enumerate(schedule):
            self._after(seconds / len(schedule) * (number + chance), lambda kind=kind: self._do(kind))
        while self._agenda:
            due, act = self._agenda.pop(self._agenda.index(min(self._agenda, key=lambda entry: entry[0])))
            time.sleep(max(0, due - time.monotonic()))
            act()

    def _schedule(self, rounds: int) -> list[tuple[str, float]]:
        """Return what is done, and a chance for each; half way all processes are replaced."""
        kinds = [kind for _ in range(rounds) for kind in self._random.sample(self.kinds, len(self.kinds))]
        kinds.insert(len(kinds) // 2, "all_replaced")
        return [(kind, self._random.random()) for kind in kinds]

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._agenda.append((time.monotonic() + seconds, act))

    def _do(self, kind: str) -> None:
        try:
            getattr(self, kind)()
        except NoVictim:
            self._after(LATER, lambda: self._do(kind))
        else:
            self.done[kind] += 1

    # What can be broken

    def redis_killed(self) -> None:
        if not self._desk.redis.answers():
            raise NoVictim
        self._desk.redis.kill()
        self._after(self._random.uniform(1, 4), self._desk.redis.start)

    def pubsub_cut(self) -> None:
        if not self._desk.redis.answers():
            raise NoVictim
        self._desk.redis.cut_pubsub()

    def database_cut(self) -> None:
        self._desk.disconnect()

    def worker_killed(self) -> None:
        os.kill(self._victim(), signal.SIGKILL)

    def worker_drained(self) -> None:
        os.kill(self._victim(), signal.SIGTERM)

    def worker_stalled(self) -> None:
        pid = self._victim()
        os.kill(pid, signal.SIGSTOP)
        self._after(self._random.uniform(3, 8), lambda: go_on(pid))

    def lines_cut(self) -> None:
        self._pages.cut(SHARE_CUT)

    def writer_killed(self) -> None:
        self.writing.kill()
        self.writing = self._hire()

    def all_replaced(self) -> None:
        self._server.process.send_signal(signal.SIGHUP)

    def _victim(self) -> int:
        """Return the oldest worker, if it is likely to serve by now."""
        pid = next(iter(self._server.workers()), None)
        if pid is None or _age(pid) < YOUNG:
            raise NoVictim
        return pid

    def _hire(self) -> Writing:
        return Writing(self._desk.environment, str(self._random.random()), self._rate)


class NoVictim(Exception):
    """What was to be broken is not there just now."""


def go_on(pid: int) -> None:
    """Let a process go on that was stopped, unless it has been killed."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _age(pid: int) -> float:
    """Return the seconds since a process began."""
    began = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began / os.sysconf("SC_CLK_TCK")
