"""`manage.py serve`: the production server."""

import os
import socket
import sys
import tempfile
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import ALL_CHECKS, BaseCommand, CommandError
from django.db import connections
from gunicorn.systemd import SD_LISTEN_FDS_START as FIRST_FD

from realtime import metrics
from realtime.doctor import redis_servers
from realtime.doctor.problem import Problem
from realtime.serve.arbiter import TEMPORARY_METRICS
from realtime.serve.preflight import find_problems

BACKLOG = 4096  # connections that wait to be accepted; the system may allow fewer (net.core.somaxconn)
DRAIN = 4.0  # seconds


class Command(BaseCommand):
    """Checks the project, opens the port, and replaces itself by gunicorn's arbiter (`realtime.serve`)."""

    help = "Serve pages and sockets in production until SIGTERM. SIGHUP replaces the workers, with new code."
    requires_system_checks = ALL_CHECKS

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe where to serve what."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8080, help="port to listen on (default %(default)s)")
        parser.add_argument("--fd", type=int, help="open file descriptor of a listening socket, instead of a port")
        parts = parser.add_mutually_exclusive_group()
        parts.add_argument("--sockets-only", action="store_true", help="workers behind a proxy that sends them /app/")
        parts.add_argument("--pages-only", action="store_true", help="workers without sockets (WSGI threads)")
        parser.add_argument(
            "--workers", type=int, default=_cores(), metavar="N", help="worker processes (default: one a core)"
        )
        parser.add_argument(
            "--drain", type=float, default=DRAIN, metavar="SECONDS",
            help="over which a worker that stops closes its sockets (default %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> NoReturn:
        """Serve."""
        if options["workers"] < 1 or options["drain"] < 0:
            raise CommandError("--workers must be at least 1, --drain at least 0.")
        problems = list(find_problems(static_files=not options["sockets_only"]))
        if problems:
            raise CommandError("\n".join(problems))
        self._warn_of_redis()
        connections.close_all()
        _pass_on_listener(options)
        # As `python -m` does not, the arbiter is to find the project from any folder.
        if metrics.FOLDER not in os.environ:
            os.environ[metrics.FOLDER] = tempfile.mkdtemp(prefix=TEMPORARY_METRICS)
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        words = ["-m", "realtime.serve", "--workers", str(options["workers"]), "--drain", str(options["drain"])]
        words += ["--pages-only"] * options["pages_only"]
        for command in self.companions(options):
            words += ["--companion", command]
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606

    def _warn_of_redis(self) -> None:
        """Print what is wrong with Redis. It is no reason not to serve: Redis may come later."""
        try:
            redis_servers.check()
        except Problem as problem:
            self.stderr.write(f"{problem} Until then changes arrive within a second instead of at once.")

    def companions(self, options: dict[str, Any]) -> list[str]:
        """Return the commands of programs to run beside the server: none, unless a project overrides this."""
        return []


def _pass_on_listener(options: dict[str, Any]) -> None:
    """Pass a listening socket to the arbiter as systemd would, so that gunicorn leaves it in place when it ends.

    systemd's own variables cannot be used: twisted, which daphne imports, has removed them from the environment.
    """
    listener = _inherit(options["fd"]) if options["fd"] is not None else _bind(options["host"], options["port"])
    os.dup2(listener.detach(), FIRST_FD)
    os.set_inheritable(FIRST_FD, True)  # dup2 to itself changes nothing
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}


def _inherit(fd: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=fd)
        if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
    except OSError as error:
        raise CommandError(f"--fd {fd} is no listening socket: {error.strerror}") from None
    listener.detach()
    raise CommandError(f"--fd {fd} is no listening socket.")


def _bind(host: str, port: int) -> socket.socket:
    """Listen on an address; on `::` for IPv4 too, whatever the system's default is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    is_any = host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_any)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # create_server appends the address
        raise CommandError(f"Cannot listen on {host} port {port}: {reason}") from None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
