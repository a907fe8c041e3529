"""The processes of pages: gunicorn, which starts and watches them."""

import os
from argparse import ArgumentParser, Namespace
from fcntl import F_DUPFD, fcntl
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from gunicorn.app.base import BaseApplication
from gunicorn.systemd import SD_LISTEN_FDS_START as FIRST_FD

from realtime.serving.lifeline import Lifeline

THREADS = 4  # of each process: a page waits for the database for most of its time
KEEP_ALIVE = 5  # seconds
FINISH_WITHIN = 10  # seconds that requests have to end, once nobody new is let in


class Pages(BaseApplication):  # type: ignore[misc]
    """The project's WSGI application: Django is loaded once, and its memory shared by the processes."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        # Both may be in the place that the listening socket is to have.
        lifeline, listener = (fcntl(fd, F_DUPFD, FIRST_FD + 1) for fd in (options.lifeline, options.fd))
        self._lifeline = Lifeline(lifeline)
        os.dup2(listener, FIRST_FD)
        # As systemd hands it over, so that gunicorn leaves the socket in place when it ends.
        os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}
        super().__init__()

    def load_config(self) -> None:
        """Say how it is served; whose address a forwarded header may tell is the application's to say."""
        values: dict[str, Any] = {
            "workers": self._options.workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 0 if self._options.is_behind_door else KEEP_ALIVE,
            "proxy_protocol": "v1" if self._options.is_behind_door else "off",
            "forwarded_allow_ips": "",
            "graceful_timeout": FINISH_WITHIN,
            "post_worker_init": lambda worker: self._lifeline.beat(),
            "control_socket_disable": True,
            "loglevel": "warning",
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the application."""
        return import_string(settings.WSGI_APPLICATION)


def serve(options: Namespace) -> None:
    """Serve on an open listening socket until SIGTERM."""
    Pages(options).run()


def options(arguments: list[str]) -> Namespace:
    """Return what the supervisor says: open file descriptors, how many processes, and what is in front of them."""
    parser = ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--behind-door", dest="is_behind_door", action="store_true")
    return parser.parse_args(arguments)
