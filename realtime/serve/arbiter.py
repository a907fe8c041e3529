"""gunicorn's arbiter, which on SIGHUP replaces its workers one after the other; the new one serves first.

The arbiter does not load the project: each worker does, so that SIGHUP deploys new code.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from realtime.serve.companions import Companion

STUCK_AFTER = 30  # seconds without a heartbeat after which a worker is killed
FINISH_TIMEOUT = 20  # seconds after the drain within which a worker must exit
THREADS = 4  # of each worker that serves pages only: a page waits for the database most of its time
COMPANION_TIMEOUT = 10  # seconds that a companion may take longer than the workers to end
TEMPORARY_METRICS = "realtime-metrics-"  # begins the name of a folder that `serve` has made
RESTART_PAUSE = 1.0  # seconds before a worker that failed to boot is started again


class RollingArbiter(Arbiter):  # type: ignore[misc]
    """Keeps `num_workers` workers serving through reloads and failed starts."""

    has_started = False
    companions: Sequence[Companion] = ()
    outdated_age = 0  # workers up to this age (gunicorn counts them) are to be replaced

    def handle_hup(self) -> None:
        """Have `manage_workers` replace the workers that run now."""
        self.log.info("Reloading: replacing %s workers", len(self.WORKERS))
        self.outdated_age = self.worker_age
        for each in self.companions:
            each.terminate()

    def manage_workers(self) -> None:
        """Start missing workers, and one more while some are outdated; stop the oldest of too many that serve."""
        staying = sorted((each for each in self.WORKERS.values() if not _is_stopping(each)), key=_age)
        serving = [each for each in staying if _is_serving(each)]
        is_replacing = len(serving) == len(staying) == self.num_workers and serving[0].age <= self.outdated_age
        for _ in range(self.num_workers - len(staying) + is_replacing):
            self.spawn_worker()
        for worker in serving[: max(0, len(serving) - self.num_workers)]:
            worker.is_stopping = True
            self.kill_worker(worker.pid, signal.SIGTERM)
        if len(serving) >= self.num_workers and not self.has_started:
            self.has_started = True
            print("Serving on", *self.LISTENERS, flush=True)  # noqa: T201
        if self.has_started:
            for each in self.companions:
                each.keep_running()

    def stop(self, graceful: bool = True) -> None:
        """Stop workers and companions."""
        for each in self.companions:
            each.terminate()
        super().stop(graceful)
        for each in self.companions:
            each.wait(COMPANION_TIMEOUT)

    def reap_workers(self) -> None:
        """Remove workers that have exited. A failed start stops the server only before it has served."""
        try:
            super().reap_workers()
        except HaltServer as failure:
            if not self.has_started:
                raise
            self.outdated_age = 0
            self.log.error("%s The workers that serve stay.", failure.reason)
            time.sleep(RESTART_PAUSE)


def _age(worker: Any) -> int:
    return int(worker.age)


def _is_stopping(worker: Any) -> bool:
    return getattr(worker, "is_stopping", False)


def _is_serving(worker: Any) -> bool:
    """Return whether a worker has sent a heartbeat: before the first one its file has a time since 1970."""
    return bool(worker.tmp.last_update() <= time.monotonic())


def _forget_gauges(_arbiter: Arbiter, worker: Any) -> None:
    """Stop reporting the sockets of a worker that has ended; its counters stay."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


class Application(BaseApplication):  # type: ignore[misc]
    """The project, as gunicorn serves it. GUNICORN_CMD_ARGS holds further options of gunicorn."""

    def __init__(self, *, workers: int, drain: float, pages_only: bool, companions: Sequence[str] = ()) -> None:
        self._companions = [Companion(command) for command in companions]
        self.drain, self._pages_only = drain, pages_only
        self._options: dict[str, Any] = {
            "workers": workers,
            "worker_class": "gthread" if pages_only else "realtime.serve.worker.Worker",
            "threads": THREADS,
            "timeout": STUCK_AFTER,
            "graceful_timeout": FINISH_TIMEOUT + (0 if pages_only else int(drain)),
            "forwarded_allow_ips": "",  # realtime/utils/client_address.py reads them
            "control_socket_disable": True,
            "child_exit": _forget_gauges,
        }
        super().__init__()

    def load_config(self) -> None:
        """Set our options, then those of GUNICORN_CMD_ARGS."""
        from_environment = vars(self.cfg.parser().parse_args(self.cfg.get_cmd_args_from_env()))
        given = {name: value for name, value in from_environment.items() if value is not None and name != "args"}
        for name, value in {**self._options, **given}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the project's application. Called in each worker, whose code may be newer than the arbiter's."""
        for name in [name for name in sys.modules if name.partition(".")[0] == "realtime"]:
            del sys.modules[name]
        import django
        from django.conf import settings
        from django.utils.module_loading import import_string

        django.setup()
        return import_string(settings.WSGI_APPLICATION if self._pages_only else settings.ASGI_APPLICATION)

    def run(self) -> None:
        """Serve until SIGTERM."""
        pid, folder = os.getpid(), Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""))
        arbiter = RollingArbiter(self)
        arbiter.companions = self._companions
        try:
            arbiter.run()
        finally:
            # Workers, which are forks, come by here too.
            if os.getpid() == pid and folder.name.startswith(TEMPORARY_METRICS):
                shutil.rmtree(folder, ignore_errors=True)
