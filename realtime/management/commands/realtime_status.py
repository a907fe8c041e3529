"""Show the connections, subscriptions and rates of all server processes."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from itertools import starmap
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from realtime.management.terminal import as_json, exits_quietly, table
from realtime.monitoring.status import ServerStatus, display_name, local_time, read_status
from realtime.presence.store import Occupancy
from realtime.utils.circuit_breaker import ServiceUnavailable

WATCH_INTERVAL = 1.0  # seconds
CLEAR = "\x1b[2J\x1b[H"
MAX_NAMES = 5  # members of a channel that are listed
MAX_WEBHOOK_AGE = 30  # seconds that events may wait without a remark


class Command(BaseCommand):
    """Prints what the processes report every few seconds."""

    help = "Show server processes, connections, channels and rates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("--watch", action="store_true", help="refresh every second, until Ctrl-C")
        parser.add_argument("--json", action="store_true", help="print JSON; with --watch one line per refresh")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print once, or until Ctrl-C."""
        with exits_quietly():
            if options["watch"]:
                self._watch(as_text=not options["json"])
            else:
                self._print_once(as_text=not options["json"])

    def _print_once(self, *, as_text: bool) -> None:
        try:
            status = read_status()
        except (ServiceUnavailable, DatabaseError) as error:
            raise CommandError(f"The status is unavailable: {error}") from None
        self.stdout.write("\n".join(_lines(status)) if as_text else as_json(asdict(status), indent=2))

    def _watch(self, *, as_text: bool) -> None:
        """Print every second; a store that is unavailable is tried again."""
        while True:
            close_old_connections()
            try:
                status = read_status()
            except (ServiceUnavailable, DatabaseError) as error:
                self.stderr.write(f"The status is unavailable: {error}")
            else:
                self._refresh("\n".join(_lines(status)) if as_text else as_json(asdict(status)), clear=as_text)
            time.sleep(WATCH_INTERVAL)

    def _refresh(self, text: str, *, clear: bool) -> None:
        if clear and self.stdout.isatty():
            self.stdout.write(CLEAR, ending="")
        self.stdout.write(text)
        self.stdout.flush()


def _lines(status: ServerStatus) -> Iterator[str]:
    yield f"{_count(status.sockets, 'connection')}, {_count(status.subscriptions, 'subscription')}"
    yield f"{status.sent} frames/s sent, {status.received} frames/s received"
    yield _log_line(status)
    yield ""
    if not status.processes:
        yield "No server processes."
        return
    heads = ("process", "since", "connections", "users", "subscriptions", "sent/s", "received/s")
    yield from table(heads, map(_process_cells, status.processes))
    yield ""
    yield from table(("channel", "subscriptions", "members"), starmap(_channel_cells, status.channels.items()))


def _log_line(status: ServerStatus) -> str:
    last = f"last {status.last_event}, {status.last_event_age} s ago"
    return f"log: {'no events' if status.last_event_age is None else last}{_waiting_webhooks(status)}"


def _waiting_webhooks(status: ServerStatus) -> str:
    if status.webhooks_waiting is None:
        return ""
    text = f"; {_count(status.webhooks_waiting, 'webhook event')} waiting"
    if (age := status.webhooks_oldest_age or 0) < MAX_WEBHOOK_AGE:
        return text
    return f"{text}, the oldest for {age} s: check the receivers, and the worker of the job queue"


def _process_cells(report: Any) -> tuple[object, ...]:
    since = f"{local_time(report.started_at):%Y-%m-%d %H:%M:%S}"
    counts = (report.sockets, report.people, report.subscriptions, report.sent, report.received)
    return (report.name, since, *counts)


def _channel_cells(name: str, found: Occupancy) -> tuple[str, int, str]:
    members = sorted(map(display_name, found.members.values()))
    more = f" and {len(members) - MAX_NAMES} more" if len(members) > MAX_NAMES else ""
    return name, found.subscriptions, ", ".join(members[:MAX_NAMES]) + more


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"
