"""`manage.py worker`: run background jobs."""

import logging
import os
import signal
import time
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import ALL_CHECKS, BaseCommand, CommandError
from django.db import connections

from jobs import pool
from jobs.companions import Companions
from jobs.schedules import Planner
from realtime.doctor import databases
from realtime.doctor.problem import Problem

logger = logging.getLogger(__name__)

PROCESSES: Final = 2  # a slow mail server keeps one busy
CHECK_INTERVAL: Final = 0.2  # seconds
PLAN_INTERVAL: Final = 60.0  # seconds
COMPANION_INTERVAL: Final = 10.0  # seconds until one that has ended starts again
RESTART_PAUSE: Final = 1.0  # seconds after a process has died


class Command(BaseCommand):
    """Runs jobs until SIGTERM or SIGINT; running ones are finished first."""

    help = "Run background jobs until SIGTERM. Several workers, also on several machines, share the work."
    requires_system_checks = ALL_CHECKS

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe how many, and for how long."""
        parser.add_argument(
            "--processes", type=int, default=PROCESSES, metavar="N", help="jobs at a time (default %(default)s)"
        )
        parser.add_argument(
            "--stop-with", type=int, metavar="PID", help="end when the parent process, whose id this is, has ended"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Keep a pool running."""
        if options["processes"] < 1:
            raise CommandError("--processes must be at least 1.")
        try:
            databases.check()
        except Problem as problem:
            raise CommandError(str(problem)) from None
        connections.close_all()  # the processes of the pool open their own
        self._is_stopping = False
        self._parent: int | None = options["stop_with"]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pool.tie_children()
        companions = Companions()
        while not self._should_stop():
            self._run_pool(pool.Pool(options["processes"]), companions)
        companions.stop()

    def _run_pool(self, running: pool.Pool, companions: Companions) -> None:
        """Return when the pool has died, or has been stopped; plan daily commands and run companions meanwhile."""
        planner = Planner()
        next_plan = next_look = time.monotonic()
        while running.is_alive and not self._should_stop():
            if time.monotonic() >= next_plan:
                planner.plan()
                next_plan = time.monotonic() + PLAN_INTERVAL
            if time.monotonic() >= next_look:
                companions.update()
                connections.close_all()
                next_look = time.monotonic() + COMPANION_INTERVAL
            time.sleep(CHECK_INTERVAL)
        if self._should_stop():
            running.stop()
        else:
            time.sleep(RESTART_PAUSE)

    def _should_stop(self) -> bool:
        return self._is_stopping or (self._parent is not None and os.getppid() != self._parent)

    def _stop(self, *_: Any) -> None:
        self._is_stopping = True
