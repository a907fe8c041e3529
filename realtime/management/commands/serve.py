"""The production server."""

import asyncio
import os
import socket
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from realtime.serving import listeners
from realtime.serving.child import StartFailed
from realtime.serving.refusals import refusals
from realtime.serving.supervisor import Plan, Supervisor

DRAIN = 4.0


class Command(BaseCommand):
    """Sockets on uvicorn and pages on gunicorn, on one port; SIGTERM ends it, SIGHUP replaces its processes."""

    help = "Serve pages and sockets in production, until SIGTERM; SIGHUP replaces the processes one by one."
    requires_system_checks = ("__all__",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Describe where to serve what."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
        parser.add_argument("--port", type=int, default=8080, help="port to listen on (default %(default)s)")
        parser.add_argument("--fd", type=int, help="listen on this open file descriptor instead, as systemd hands it")
        parts = parser.add_mutually_exclusive_group()
        parts.add_argument("--sockets-only", action="store_true", help="no processes of pages")
        parts.add_argument("--pages-only", action="store_true", help="no processes of sockets")
        parser.add_argument(
            "--workers", type=int, default=_cores(), metavar="N", help="processes of each kind (default: one a core)"
        )
        parser.add_argument(
            "--drain", type=float, default=DRAIN, metavar="SECONDS",
            help="over which the sockets are sent away at the end (default %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve."""
        plan = _plan(options)
        self._refuse(plan)
        listening = _listeners(options, plan)
        host, port = listening[0].getsockname()[:2]
        place = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        try:
            asyncio.run(_serve(listening, plan, lambda: self._say(place)))
        except StartFailed as failure:
            raise CommandError(str(failure)) from None

    def _refuse(self, plan: Plan) -> None:
        try:
            wrong = list(refusals(pages=bool(plan.pages)))
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}") from None
        connections.close_all()
        if wrong:
            raise CommandError("\n".join(wrong))

    def _say(self, place: str) -> None:
        self.stdout.write(f"Serving on {place}")
        self.stdout.flush()


async def _serve(listening: list[socket.socket], plan: Plan, when_ready: Callable[[], None]) -> None:
    await Supervisor(listening, plan).run(when_ready)


def _plan(options: dict[str, Any]) -> Plan:
    workers, seconds = options["workers"], options["drain"]
    if workers < 1 or seconds < 0:
        raise CommandError("--workers is at least 1, --drain at least 0.")
    return Plan(0 if options["pages_only"] else workers, 0 if options["sockets_only"] else workers, seconds)


def _listeners(options: dict[str, Any], plan: Plan) -> list[socket.socket]:
    try:
        if options["fd"] is not None:
            return listeners.inherited(options["fd"])
        return listeners.bind(options["host"], options["port"], plan.sockets or 1)
    except OSError as error:
        raise CommandError(f"Cannot listen there: {error}") from None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
