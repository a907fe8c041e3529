"""Shows the live connections, subscriptions and rates of all server processes."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from itertools import starmap
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from realtime.management.terminal import as_json, ends_quietly, table
from realtime.monitoring import status
from realtime.monitoring.status import Overview
from realtime.presence.store import Occupancy, Unavailable

INTERVAL = 1.0  # seconds between two looks of --watch
CLEAR = "\x1b[2J\x1b[H"
NAMES = 5  # members of a channel that are listed


class Command(BaseCommand):
    """Reads what the processes say of themselves every few seconds."""

    help = "Show live processes, connections, channels and rates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Offer to go on looking, and JSON."""
        parser.add_argument("--watch", action="store_true", help="look again each second, until Ctrl-C")
        parser.add_argument("--json", action="store_true", help="print JSON; with --watch one line for each look")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print once, or until Ctrl-C."""
        with ends_quietly():
            if options["watch"]:
                self._watch(in_json=options["json"])
            else:
                self._print_once(in_json=options["json"])

    def _print_once(self, *, in_json: bool) -> None:
        try:
            found = status.read()
        except (Unavailable, DatabaseError) as error:
            raise CommandError(f"The state cannot be read: {error}") from None
        self.stdout.write(as_json(asdict(found), indent=2) if in_json else "\n".join(_in_words(found)))

    def _watch(self, *, in_json: bool) -> None:
        """Look for ever; a store that is away is asked again."""
        while True:
            close_old_connections()
            try:
                found = status.read()
            except (Unavailable, DatabaseError) as error:
                self.stderr.write(f"The state cannot be read: {error}")
            else:
                self._show(as_json(asdict(found)) if in_json else "\n".join(_in_words(found)), clear=not in_json)
            time.sleep(INTERVAL)

    def _show(self, text: str, *, clear: bool) -> None:
        if clear and self.stdout.isatty():
            self.stdout.write(CLEAR, ending="")
        self.stdout.write(text)
        self.stdout.flush()


def _in_words(found: Overview) -> Iterator[str]:
    yield f"{_many(found.sockets, 'connection')}, {_many(found.subscriptions, 'subscription')}"
    yield f"{found.sent} frames/s sent, {found.received} frames/s received"
    yield _log(found)
    yield ""
    if not found.processes:
        yield "No server process has a socket."
        return
    heads = ("process", "since", "connections", "people", "subscriptions", "sent/s", "received/s")
    yield from table(heads, map(_process, found.processes))
    yield ""
    yield from table(("channel", "subscriptions", "members"), starmap(_channel, found.channels.items()))


def _log(found: Overview) -> str:
    age = (
        "nothing was told yet"
        if found.last_event_age is None
        else f"last {found.last_event}, {found.last_event_age} s ago"
    )
    waiting = "" if found.webhooks_waiting is None else f"; {_many(found.webhooks_waiting, 'webhook event')} waiting"
    return f"log: {age}{waiting}"


def _process(report: Any) -> tuple[object, ...]:
    since = f"{status.moment(report.started_at):%Y-%m-%d %H:%M:%S}"
    counts = (report.sockets, report.people, report.subscriptions, report.sent, report.received)
    return (report.name, since, *counts)


def _channel(name: str, found: Occupancy) -> tuple[str, int, str]:
    members = sorted(map(status.shown_name, found.members.values()))
    more = f" and {len(members) - NAMES} more" if len(members) > NAMES else ""
    return name, found.subscriptions, ", ".join(members[:NAMES]) + more


def _many(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"
