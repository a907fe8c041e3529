"""The processes of one worker: django-q2's, started again together when one of them dies.

They share queues. A process that is killed while it reads from one leaves it locked for the others, which then wait
without end or error (django-q2 issue 23); new processes get new queues. What they had claimed is due again
when its lease ends.
"""

import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import uuid
from typing import Any, Final

from django.db import connections
from django_q.cluster import Sentinel
from django_q.conf import Conf

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG: Final = 1  # prctl(2)
RECYCLED: Final = -2  # django-q2's mark of a process that ended after its share of jobs
CHILD_DIED: Final = 75  # exit code of the sentinel
STOP_TIMEOUT: Final = 60  # seconds that running jobs have to end

fork = multiprocessing.get_context("fork")
_parent = 0


class StrictSentinel(Sentinel):  # type: ignore[misc]
    """Ends with the first of its processes that dies, instead of replacing that one alone."""

    def reincarnate(self, process: Any) -> None:
        """Replace a process that ended as planned; else end."""
        if process in self.pool and int(process.timer.value) == RECYCLED:
            super().reincarnate(process)
            return
        logger.error("worker process died pid=%s; restarting all", process.pid)
        os._exit(CHILD_DIED)


class Pool:
    """A sentinel with its processes. They end with the process that made the pool, however that ends."""

    def __init__(self, processes: int) -> None:
        Conf.WORKERS = processes
        Conf.QUEUE_LIMIT = processes
        self._stopping = multiprocessing.Event()
        connections.close_all()
        for connection in connections.all(initialized_only=True):
            if connection.vendor == "postgresql":
                connection.close_pool()  # type: ignore[attr-defined]  # its threads do not survive a fork
        arguments = (self._stopping, multiprocessing.Event(), uuid.uuid4())
        self._sentinel = fork.Process(target=StrictSentinel, args=arguments)
        self._sentinel.start()

    @property
    def is_alive(self) -> bool:
        """Return whether all of its processes run."""
        return self._sentinel.is_alive()

    def stop(self) -> None:
        """Claim no more jobs, and wait for those that run; kill them after STOP_TIMEOUT."""
        self._stopping.set()
        self._sentinel.join(STOP_TIMEOUT)
        self._sentinel.kill()
        self._sentinel.join()


def tie_children() -> None:
    """Have each process that this one forks end with it; SIGTERM and SIGINT to the group reach this one only."""
    os.register_at_fork(before=_remember_parent, after_in_child=_tie)


def _remember_parent() -> None:
    global _parent  # noqa: PLW0603  (a fork passes nothing else on)
    _parent = os.getpid()


def _tie() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != _parent:  # it died before the line above: the signal will not come
            os._exit(CHILD_DIED)
